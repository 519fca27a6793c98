// Has the official clients for Java write every format: Write BUCKET FOLDER_FOR_THE_PLAINTEXT KMS_KEY_ARN WRAPPING_KEY_IN_BASE64

import com.amazonaws.ClientConfiguration;
import com.amazonaws.client.builder.AwsClientBuilder.EndpointConfiguration;
import com.amazonaws.services.kms.AWSKMS;
import com.amazonaws.services.kms.AWSKMSClientBuilder;
import com.amazonaws.services.s3.AmazonS3;
import com.amazonaws.services.s3.AmazonS3EncryptionClientBuilder;
import com.amazonaws.services.s3.AmazonS3EncryptionClientV2Builder;
import com.amazonaws.services.s3.model.CryptoConfiguration;
import com.amazonaws.services.s3.model.CryptoConfigurationV2;
import com.amazonaws.services.s3.model.CryptoMode;
import com.amazonaws.services.s3.model.CryptoStorageMode;
import com.amazonaws.services.s3.model.EncryptionMaterials;
import com.amazonaws.services.s3.model.EncryptionMaterialsProvider;
import com.amazonaws.services.s3.model.KMSEncryptionMaterials;
import com.amazonaws.services.s3.model.KMSEncryptionMaterialsProvider;
import com.amazonaws.services.s3.model.ObjectMetadata;
import com.amazonaws.services.s3.model.StaticEncryptionMaterialsProvider;
import java.io.ByteArrayInputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.Map;
import javax.crypto.SecretKey;
import javax.crypto.spec.SecretKeySpec;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.kms.KmsClient;
import software.amazon.awssdk.services.s3.S3AsyncClient;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.encryption.s3.CommitmentPolicy;
import software.amazon.encryption.s3.S3EncryptionClient;
import software.amazon.encryption.s3.algorithms.AlgorithmSuite;
import software.amazon.encryption.s3.internal.InstructionFileConfig;
import software.amazon.encryption.s3.materials.AesKeyring;
import software.amazon.encryption.s3.materials.Keyring;
import software.amazon.encryption.s3.materials.KmsKeyring;

public class Write {
    static final int[] SIZES = {0, 1, 16, 17, 100_000};
    static final String ENDPOINT = System.getenv("AWS_ENDPOINT_URL");
    static final String REGION = System.getenv("AWS_REGION");
    static String keyArn;

    interface Put {
        void put(String key, byte[] plaintext);
    }

    public static void main(String[] args) throws Exception {
        String bucket = args[0];
        Path folder = Path.of(args[1]);
        keyArn = args[2];
        SecretKey wrappingKey = new SecretKeySpec(Base64.getDecoder().decode(args[3]), "AES");
        current(bucket, folder, wrappingKey);
        first(bucket, folder, wrappingKey);
        System.exit(0);
    }

    /** V2 and V3, by the client of today. */
    static void current(String bucket, Path folder, SecretKey wrappingKey) throws Exception {
        S3Client plain = S3Client.builder().endpointOverride(URI.create(ENDPOINT)).forcePathStyle(true).build();
        S3AsyncClient async = S3AsyncClient.builder().endpointOverride(URI.create(ENDPOINT)).forcePathStyle(true).build();
        KmsClient kms = KmsClient.builder().endpointOverride(URI.create(ENDPOINT)).build();
        for (boolean committing : new boolean[] {true, false}) {
            for (boolean inFile : new boolean[] {false, true}) {
                for (boolean byKms : new boolean[] {true, false}) {
                    Keyring keyring = byKms
                        ? KmsKeyring.builder().kmsClient(kms).wrappingKeyId(keyArn).build()
                        : AesKeyring.builder().wrappingKey(wrappingKey).build();
                    S3EncryptionClient client = S3EncryptionClient.builderV4()
                        .wrappedClient(plain)
                        .wrappedAsyncClient(async)
                        .keyring(keyring)
                        .instructionFileConfig(InstructionFileConfig.builder().instructionFileClient(plain).enableInstructionFilePutObject(inFile).build())
                        .commitmentPolicy(committing ? CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT : CommitmentPolicy.FORBID_ENCRYPT_ALLOW_DECRYPT)
                        .encryptionAlgorithm(committing
                            ? AlgorithmSuite.ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY
                            : AlgorithmSuite.ALG_AES_256_GCM_IV12_TAG16_NO_KDF)
                        .build();
                    String name = "java-" + (committing ? "V3" : "V2") + (byKms ? "-kms" : "-aes") + (inFile ? "-file" : "-metadata");
                    write(folder, name, (key, plaintext) -> client.putObject(
                        request -> {
                            request.bucket(bucket).key(key).metadata(Map.of("author", "Zoe"));
                            if (byKms) request.overrideConfiguration(S3EncryptionClient.withAdditionalConfiguration(Map.of("purpose", inFile ? "größe" : "letters")));
                        },
                        RequestBody.fromBytes(plaintext)));
                }
            }
        }
    }

    /** V1 and its successors under AES/CBC, `kms` and `AESWrap`, by the clients of the first SDK. */
    @SuppressWarnings("deprecation")
    static void first(String bucket, Path folder, SecretKey wrappingKey) throws Exception {
        EndpointConfiguration endpoint = new EndpointConfiguration(ENDPOINT, REGION);
        ClientConfiguration settings = new ClientConfiguration();
        AWSKMS kms = AWSKMSClientBuilder.standard().withEndpointConfiguration(endpoint).build();
        for (boolean inFile : new boolean[] {false, true}) {
            CryptoStorageMode storage = inFile ? CryptoStorageMode.InstructionFile : CryptoStorageMode.ObjectMetadata;
            for (boolean byKms : new boolean[] {true, false}) {
                EncryptionMaterialsProvider materials = byKms
                    ? new KMSEncryptionMaterialsProvider(new KMSEncryptionMaterials(keyArn))
                    : new StaticEncryptionMaterialsProvider(new EncryptionMaterials(wrappingKey));
                for (CryptoMode mode : new CryptoMode[] {CryptoMode.EncryptionOnly, CryptoMode.AuthenticatedEncryption}) {
                    AmazonS3 client = AmazonS3EncryptionClientBuilder.standard()
                        .withEndpointConfiguration(endpoint).withClientConfiguration(settings).withPathStyleAccessEnabled(true)
                        .withKmsClient(kms).withEncryptionMaterials(materials)
                        .withCryptoConfiguration(new CryptoConfiguration(mode).withStorageMode(storage))
                        .build();
                    write(folder, "first-" + mode + (byKms ? "-kms" : "-aes") + (inFile ? "-file" : "-metadata"), putter(client, bucket));
                }
                AmazonS3 second = AmazonS3EncryptionClientV2Builder.standard()
                    .withEndpointConfiguration(endpoint).withClientConfiguration(settings).withPathStyleAccessEnabled(true)
                    .withKmsClient(kms).withEncryptionMaterialsProvider(materials)
                    .withCryptoConfiguration(new CryptoConfigurationV2(CryptoMode.StrictAuthenticatedEncryption).withStorageMode(storage))
                    .build();
                write(folder, "second" + (byKms ? "-kms" : "-aes") + (inFile ? "-file" : "-metadata"), putter(second, bucket));
            }
        }
    }

    static Put putter(AmazonS3 client, String bucket) {
        return (key, plaintext) -> {
            ObjectMetadata metadata = new ObjectMetadata();
            metadata.setContentLength(plaintext.length);
            metadata.addUserMetadata("author", "Zoe");
            client.putObject(bucket, key, new ByteArrayInputStream(plaintext), metadata);
        };
    }

    static void write(Path folder, String name, Put put) throws Exception {
        for (int size : SIZES) {
            byte[] plaintext = new byte[size];
            new SecureRandom().nextBytes(plaintext);
            Files.write(folder.resolve(name + "-" + size), plaintext);
            put.put(name + "-" + size, plaintext);
        }
    }
}
