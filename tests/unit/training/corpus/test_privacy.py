"""Secrets and addresses."""

import pytest

from codet5p.training.corpus.privacy import contains_secret, redact_header_addresses

# Joined at run time, so that no scanner takes this file for a leak.
SECRETS = [
    "key = '" + "AKIA" + "IOSFODNN7EXAMPLA'",
    "token = '" + "ghp_" + "a1B2" * 9 + "'",
    "-----BEGIN RSA " + "PRIVATE KEY-----",
    "stripe('" + "sk_live_" + "a1b2c3d4" * 3 + "')",
    "url = 'https://hooks.slack" + ".com/services/T0A/B0B/xyz'",
    "sendgrid('" + "SG." + "a" * 22 + "." + "b" * 43 + "')",
    "azure = 'AccountKey=" + "A" * 88 + "'",
]


@pytest.mark.parametrize("line", SECRETS)
def test_credentials_are_found(line: str) -> None:
    assert contains_secret(f"first = 1\n{line}\nlast = 2\n")


@pytest.mark.parametrize(
    "text",
    [
        "def password(user): return user.password\n",
        "AKIA is how the names of access keys begin.\n",
        "digest = 'd41d8cd98f00b204e9800998ecf8427e'\n",
        "engine = create_engine('postgresql://scott:tiger@localhost/test')\n",
        "SKIP = 1; MAC = 2\n",
    ],
)
def test_ordinary_code_has_no_secret(text: str) -> None:
    assert not contains_secret(text)


def test_addresses_in_the_head_are_replaced() -> None:
    text = "# Jane Doe <jane@example.org>, joe at example.com\nimport os\n"
    assert redact_header_addresses(text, 1500) == ("# Jane Doe <email>, <email>\nimport os\n", 2)


def test_addresses_further_down_stay() -> None:
    text = "x = 1\n" * 300 + "SENDER = 'a@example.org'\n"
    assert redact_header_addresses(text, 1500) == (text, 0)


def test_a_text_without_addresses_is_returned_as_it_is() -> None:
    text = "@decorator\ndef look(at): return at\n"
    assert redact_header_addresses(text, 1500) == (text, 0)
