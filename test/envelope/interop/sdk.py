"""The AWS Encryption SDK for Python behind standard input: test/envelope/interop/index.ts asks, a line of JSON each way.

  python sdk.py KEY_FILE

KEY_FILE holds the wrapping key as {"namespace", "name", "key" in base64}. A question is
  {"do": "encrypt", "keyring", "plaintext", "context", "suite", "frameBytes"}
  {"do": "decrypt", "keyring", "message", "context"}
with bytes in base64, "frameBytes" null for the SDK's own, 0 for none, and "keyring" either {"name", "key"} for another wrapping key, {"keyArn"}
for a KMS key (where it is, AWS_ENDPOINT_URL and the rest of boto3's variables say), or {} for the wrapping key. What the SDK refuses is answered
as {"refused": "Class: text"}; whatever else goes wrong ends the program.
"""
import base64
import json
import logging
import sys

import aws_encryption_sdk
import boto3
from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
from aws_cryptographic_material_providers.mpl.models import AesWrappingAlg, CreateAwsKmsKeyringInput, CreateRawAesKeyringInput
from aws_encryption_sdk import CommitmentPolicy
from aws_encryption_sdk.identifiers import AlgorithmSuite
from aws_encryption_sdk.internal.formatting.encryption_context import serialize_encryption_context

# It writes each refusal to standard error, with where it was thrown.
logging.disable(logging.CRITICAL)

PROVIDERS = AwsCryptographicMaterialProviders(config=MaterialProvidersConfig())
STRICT = aws_encryption_sdk.EncryptionSDKClient(commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)
LAX = aws_encryption_sdk.EncryptionSDKClient(commitment_policy=CommitmentPolicy.FORBID_ENCRYPT_ALLOW_DECRYPT)


def keyring_of(wanted, shared):
    if "keyArn" in wanted:
        return PROVIDERS.create_aws_kms_keyring(input=CreateAwsKmsKeyringInput(kms_key_id=wanted["keyArn"], kms_client=boto3.client("kms")))
    return PROVIDERS.create_raw_aes_keyring(
        input=CreateRawAesKeyringInput(
            key_namespace=shared["namespace"],
            key_name=wanted.get("name", shared["name"]),
            wrapping_key=base64.b64decode(wanted.get("key", shared["key"])),
            wrapping_alg=AesWrappingAlg.ALG_AES256_GCM_IV12_TAG16,
        )
    )


def encrypt(question, keyring):
    suite = AlgorithmSuite.get_by_id(question["suite"])
    more = {} if question["frameBytes"] is None else {"frame_length": question["frameBytes"]}
    message, _ = (STRICT if suite.is_committing() else LAX).encrypt(
        source=base64.b64decode(question["plaintext"]),
        keyring=keyring,
        encryption_context=question["context"],
        algorithm=suite,
        **more,
    )
    return {"message": base64.b64encode(message).decode()}


def decrypt(question, keyring):
    message, context = base64.b64decode(question["message"]), question["context"]
    try:
        plaintext, header = STRICT.decrypt(source=message, keyring=keyring, encryption_context=context)
    except Exception as error:  # pylint: disable=broad-except  # The SDK has no class that all of its refusals are of.
        return {"refused": f"{type(error).__name__}: {error}"}
    return {
        "plaintext": base64.b64encode(plaintext).decode(),
        "context": dict(header.encryption_context),
        "contextBytes": base64.b64encode(serialize_encryption_context(header.encryption_context)).decode(),
        "suite": header.algorithm.algorithm_id,
        "frameBytes": header.frame_length,
        "messageId": base64.b64encode(header.message_id).decode(),
    }


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        shared = json.load(file)
    for line in sys.stdin:
        question = json.loads(line)
        answer = {"encrypt": encrypt, "decrypt": decrypt}[question["do"]](question, keyring_of(question["keyring"], shared))
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
