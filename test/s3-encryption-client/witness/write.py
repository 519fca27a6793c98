"""Has the official client for Python write V2 and V3 under KMS: write.py BUCKET FOLDER_FOR_THE_PLAINTEXT KMS_KEY_ARN"""

import os
import sys

import boto3
from botocore.config import Config
from s3_encryption import S3EncryptionClient, S3EncryptionClientConfig
from s3_encryption.materials.kms_keyring import KmsKeyring
from s3_encryption.materials.materials import AlgorithmSuite, CommitmentPolicy

bucket, folder, key_arn = sys.argv[1:]

CLIENTS = {
    "V3": {
        "encryption_algorithm": AlgorithmSuite.ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY,
        "commitment_policy": CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT,
    },
    "V2": {
        "encryption_algorithm": AlgorithmSuite.ALG_AES_256_GCM_IV12_TAG16_NO_KDF,
        "commitment_policy": CommitmentPolicy.FORBID_ENCRYPT_ALLOW_DECRYPT,
    },
}

for name, settings in CLIENTS.items():
    s3 = boto3.client("s3", config=Config(s3={"addressing_style": "path"}))
    keyring = KmsKeyring(boto3.client("kms"), key_arn)
    client = S3EncryptionClient(s3, S3EncryptionClientConfig(keyring=keyring, **settings))
    for context in ({}, {"purpose": "letters"}):
        for size in (0, 1, 16, 17, 100_000):
            key = f"python-{name}-{'context' if context else 'plain'}-{size}"
            plaintext = os.urandom(size)
            with open(os.path.join(folder, key), "wb") as file:
                file.write(plaintext)
            extra = {"EncryptionContext": context} if context else {}
            client.put_object(Bucket=bucket, Key=key, Body=plaintext, Metadata={"author": "Zoe"}, **extra)
