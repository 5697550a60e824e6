"""Secrets and personal addresses: a file with a secret is dropped, addresses in a header are replaced."""

import re
from collections.abc import Mapping
from functools import cache
from typing import cast

from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
from detect_secrets.plugins.base import RegexBasedDetector

__all__ = ["contains_secret", "redact_header_addresses"]

_ADDRESS = re.compile(r"<?\b[\w.+-]+(?:@|\s+at\s+|\(at\)|\[at\])[\w-]+(?:\.[\w-]+)+\b>?")
REDACTED = "<email>"

# Detectors of detect-secrets that know a token by its form, each with the fixed text that every match contains. The
# fixed text is looked for first, at the speed of a substring search; only lines that have it meet the detector.
_FIXED_TEXTS: dict[str, tuple[str, ...]] = {
    "AWS Access Key": ("A3T", "ABIA", "ACCA", "AKIA", "ASIA"),
    "Azure Storage Account access key": ("AccountKey=",),
    "GitHub Token": ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
    "GitLab Token": (
        *("glpat-", "gldt-", "glft-", "glsoat-", "glrt-", "GR1348941"),
        *("glcbt-", "glimt-", "glptt-", "glagent-", "gloas-"),
    ),
    "JSON Web Token": ("eyJ",),
    "Mailchimp Access Key": ("-us",),
    "NPM tokens": ("_authToken",),
    "OpenAI Token": ("T3BlbkFJ",),
    "Private Key": ("PRIVATE KEY", "PuTTY-User-Key-File"),
    "PyPI Token": ("pypi-AgE",),
    "SendGrid API Key": ("SG.",),
    "Slack Token": ("xox", "hooks.slack.com"),
    "Square OAuth Secret": ("sq0csp",),
    "Stripe Access Key": ("_live_",),
    "Twilio API Key": ("AC", "SK"),
}
# The other detectors (keywords, entropy, public addresses, user:password@host, and forms without a fixed text) flag
# ordinary code, constants and examples in documentation.


@cache
def _detectors() -> tuple[tuple[tuple[str, ...], RegexBasedDetector], ...]:
    # The library declares the classes as plain `type[Never]`; every one that is named above matches by patterns.
    classes = cast("Mapping[str, type[RegexBasedDetector]]", get_mapping_from_secret_type_to_class())
    return tuple((texts, classes[secret_type]()) for secret_type, texts in _FIXED_TEXTS.items())


def contains_secret(text: str) -> bool:
    """Tell whether a file holds what looks like a live credential.

    Args:
        text: The whole file.

    Returns:
        True at the first finding of a detector; example keys in comments count too.
    """
    for fixed_texts, detector in _detectors():
        for fixed_text in fixed_texts:
            position = text.find(fixed_text)
            while position >= 0:
                start = text.rfind("\n", 0, position) + 1
                end = text.find("\n", position)
                end = len(text) if end < 0 else end
                if any(True for _ in detector.analyze_string(text[start:end])):
                    return True
                position = text.find(fixed_text, end)
    return False


def redact_header_addresses(text: str, header_characters: int) -> tuple[str, int]:
    """Return `text` with the e-mail addresses of its head replaced by `<email>`, and their number.

    Args:
        text: The whole file.
        header_characters: Where the head ends.

    Returns:
        The text and how many addresses were replaced.
    """
    if "@" not in text[:header_characters] and " at " not in text[:header_characters]:
        return text, 0
    cut = text.rfind("\n", 0, header_characters) + 1 if len(text) > header_characters else len(text)
    header, count = _ADDRESS.subn(REDACTED, text[:cut])
    return header + text[cut:], count
