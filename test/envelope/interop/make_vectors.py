"""Made test/fixtures/vectors/python-sdk.json, under a key that everybody knows; to make it anew, with what requirements.txt beside this names:

  python make_vectors.py > test/fixtures/vectors/python-sdk.json
"""
import base64
import json

from aws_encryption_sdk.identifiers import AlgorithmSuite
from sdk import encrypt, keyring_of

KEY = {"namespace": "sealdrop", "name": "vector-key-1", "key": base64.b64encode(bytes(range(32))).decode()}
# Two names that UTF-8 and UTF-16 put in another order.
CONTEXT = {"bucket": "target", "key": "reports/é 1", "\uff61": "日本語", "\U0001f511": "ключ"}
TEXT = "Sealdrop, é, 日本語 🔑. "
FRAME_BYTES = 128


def vector(suite, plaintext):
    question = {
        "plaintext": base64.b64encode(plaintext.encode()).decode(),
        "context": CONTEXT,
        "suite": suite.algorithm_id,
        "frameBytes": FRAME_BYTES,
    }
    return {
        "comment": f"{suite.name} of {len(plaintext.encode())} bytes",
        "committing": suite.is_committing(),
        "plaintext": plaintext,
        **encrypt(question, keyring_of({}, KEY)),
    }


def plaintexts(suite):
    if not suite.is_committing():
        return [TEXT]
    return ["", "." * FRAME_BYTES, TEXT * 10]


messages = [vector(suite, plaintext) for suite in AlgorithmSuite for plaintext in plaintexts(suite)]
file = {"keyNamespace": KEY["namespace"], "keyName": KEY["name"], "key": KEY["key"], "context": CONTEXT, "messages": messages}
print(json.dumps(file, ensure_ascii=False, indent=2))
