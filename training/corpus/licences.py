"""The licence allow-list: what packages say of themselves, and what file headers say otherwise.

Only permissive licences pass. Where an author offers a choice, one permissive side is enough; where parts of a
package are under different licences, the header of each file decides.
"""

import json
import re
from collections.abc import Iterable

__all__ = [
    "debian_licences",
    "header_is_copyleft",
    "is_permissive",
    "npm_licence",
    "repository_in",
    "wheel_licence",
]

_PERMISSIVE = re.compile(
    r"""^(the[ -])?(new[ -]|modified[ -]|simplified[ -]|[23]-?clause[ -]|software[ -]*)?(
        mit(-0|-modern|-cmu|[ /~-]?x11|-style|-like|-\d|-\w+)? | expat\S* | x11\S* | mit/x\S*
      | bsd\S*(\ licen[sc]e|\ style|\ [23].?clause.*)? | bsd[ -]?[234][ -]?clause.* | [0234]-?clause.* | 0bsd
      | apache\S*([ -]+(software|licen[sc]e|version|v?2(\.0)?),?)* | asl-?2(\.0)? | al-?2
      | isc\S*(\ licen[sc]e.*)? | zlib\S* | zlib/libpng | libpng\S* | png | bsl-?1(\.0)?
      | boost\S*([ -]\S+)* | psf\S* | python\S*([ -]software[ -]foundation.*)? | cnri-python\S*
      | postgresql | public[ -]domain\S* | pd
      | (the\ )?unlicense(\ .*)? | cc0\S* | hpnd\S* | ntp | ruby\S* | php(-3\S*)? | php\ license.* | zend\S*
      | go | curl | openssl | openldap\S* | openssh | openexr | ftl | freetype\S* | sgi\S* | ncsa | uiuc
      | tcl\S* | hylafax | libtiff
      | icu\S* | unicode\S* | w3c\S* | zpl\S*([ -]\S+)* | zope\S*([ -]\S+)* | biopython\S* | licenseref-biopython\S*
      | hp-permissive | permissive\S* | blessing | wtfpl\S* | afl-?\d\S* | upl\S* | ms-pl | mspl | jsr\S*bsd
      | custom-bsd | pil | historical\ permission.* | academic\S* | attribution\S*\ bsd | matplotlib\S* | numpy\S*
      | repoze\S*.* | licenseref-repoze\S* | dom4j | saxpath | bouncycastle | jdom | indiana\S*
    )(\ licen[sc]e)?(,?\ v(ersion)?\.?\ ?\d\S*)?$""",
    re.VERBOSE,
)
_COPYLEFT = re.compile(
    r"""(^|[^a-z])(l|a)?gpl | gnu\ (lesser\ |library\ |affero\ )?general | \bmpl | mozilla | \bepl\b | eclipse | cddl
      | cecill | eupl | sspl | busl | \bosl- | cc-by | creative\ commons | elastic | commons\ clause | artistic-1
      | proprietary | commercial | lppl""",
    re.VERBOSE,
)
_HEADER_COPYLEFT = re.compile(
    r"""GNU\ (Lesser\ |Library\ |Affero\ )?General\ Public\ Licen[sc]e
      | \b[AL]?GPL\b(?!.{0,40}compatible) | \bGPLv[23]
      | Mozilla\ Public\ Licen[sc]e | \bMPL[- ]?[12] | Eclipse\ Public\ Licen[sc]e
      | Common\ Development\ and\ Distribution
      | Server\ Side\ Public\ Licen[sc]e | Business\ Source\ Licen[sc]e | Elastic\ Licen[sc]e | Creative\ Commons
      | SPDX-License-Identifier:\s*\(?(?:[AL]?GPL|MPL|EPL|CDDL|CC-BY|SSPL|BUSL|OSL|EUPL)""",
    re.VERBOSE,
)
_HEADER_CHOICE = re.compile(
    r"""\b(MIT|BSD|Apache|Boost|ISC|zlib|Ruby'?s?)\b.{0,80}\bor\b | \bor\b.{0,80}\b(MIT|BSD|Apache|Boost|ISC)\b
      | SPDX-License-Identifier:[^\n]*\b(MIT|Apache|BSD|ISC|BSL-1)[^\n]*\bOR\b
      | SPDX-License-Identifier:[^\n]*\bOR\b[^\n]*\b(MIT|Apache|BSD|ISC)
      | [Dd]ual[- ]licen[sc]ed | either\ .{0,60}\blicen[sc]e""",
    re.VERBOSE | re.DOTALL,
)


def is_permissive(expression: str) -> bool:
    """Tell whether a licence expression grants permissive use.

    Args:
        expression: SPDX (`MIT OR GPL-2.0-only`), Debian (`GPL-2+ or Ruby`), or a registry's words (`BSD License`).

    Returns:
        True if every part of a conjunction has at least one permissive choice; False for an empty expression.
    """
    cleaned = expression.lower().replace("license ::", " ").replace("osi approved ::", " ")
    cleaned = re.sub(r"[()]", " ", re.sub(r"(?<=\w )\([^()]*\)$", "", cleaned.strip()))
    cleaned = re.sub(r"[\s-]+with[\s-]+\S+", "", cleaned)
    parts = re.split(r"\s+and\s+|\+(?=[a-z])|\s*;\s*|\s*&\s*", cleaned)
    return any(part.strip() for part in parts) and all(_has_permissive_choice(part) for part in parts if part.strip())


def _has_permissive_choice(part: str) -> bool:
    choices = re.split(r"\s+or\s+|\s*/\s*(?!x|libpng)|_or_|\s*,\s*(?!version|v\d)|\s*\|\s*", part)
    return any(_is_permissive_name(choice.strip(" .,-")) for choice in choices)


def _is_permissive_name(name: str) -> bool:
    return bool(name) and not _COPYLEFT.search(name) and bool(_PERMISSIVE.match(name))


def header_is_copyleft(header: str) -> bool:
    """Tell whether the head of a file puts it under a licence off the list, without a permissive choice."""
    return bool(_HEADER_COPYLEFT.search(header)) and not _HEADER_CHOICE.search(header)


def wheel_licence(metadata: str) -> str:
    """Return the licence that a wheel's METADATA states, or an empty string.

    Args:
        metadata: The file's text; expression first, then classifiers, then the free-text field's first line.

    Returns:
        The licence.
    """
    head = metadata.split("\n\n", 1)[0]
    if expression := re.search(r"^License-Expression:\s*(.+)$", head, re.MULTILINE):
        return expression[1].strip()
    classifiers = re.findall(r"^Classifier: License :: (?:OSI Approved :: )?(.+)$", head, re.MULTILINE)
    named = [name for name in classifiers if name != "OSI Approved"]
    if named:
        return " OR ".join(dict.fromkeys(named))
    stated = re.search(r"^License:[ \t]*(.+)$", head, re.MULTILINE)
    return stated[1].strip()[:100] if stated else ""


def npm_licence(package_json: str) -> str:
    """Return the licence that a `package.json` states, or an empty string."""
    try:
        stated = json.loads(package_json)
    except ValueError:
        return ""
    value = stated.get("license") or stated.get("licenses") if isinstance(stated, dict) else ""
    entries = value if isinstance(value, list) else [value]
    names = [entry.get("type", "") if isinstance(entry, dict) else str(entry or "") for entry in entries]
    return " OR ".join(name for name in names if name)


def debian_licences(copyright_text: str) -> str:
    """Return the licence of a Debian package's main part, or an empty string.

    Args:
        copyright_text: `debian/copyright`. In the machine-readable format the paragraph for `Files: *` counts; files
            under another licence are left to their own headers. Free text is searched for well-known names.

    Returns:
        The licence.
    """
    for paragraph in re.split(r"\n\s*\n", copyright_text):
        files = re.search(r"^Files:\s*(.+)$", paragraph, re.MULTILINE)
        licence = re.search(r"^License:[ \t]*(\S.*)$", paragraph, re.MULTILINE)
        if files and licence and files[1].split()[0] in {"*", "./*"}:
            return licence[1].strip()
    if "Format:" in copyright_text[:300]:
        stated = re.findall(r"^License:[ \t]*(\S.*)$", copyright_text, re.MULTILINE)
        return stated[0].strip() if stated else ""
    return _recognised(copyright_text)


_PHRASES = (
    ("GPL", re.compile(r"GNU (Lesser |Library |Affero )?General Public|\b[AL]?GPL\b")),
    ("Apache-2.0", re.compile(r"Apache License,? (Version )?2|apache\.org/licenses/LICENSE-2")),
    ("MIT", re.compile(r"Permission is hereby granted, free of charge")),
    ("BSD", re.compile(r"Redistribution and use in source and binary forms")),
    ("ISC", re.compile(r"Permission to use, copy, modify, and/?(or)? distribute this software")),
)


def _recognised(text: str) -> str:
    text = " ".join(text.split())
    names = [name for name, phrase in _PHRASES if phrase.search(text)]
    if names == ["GPL"] or not names:
        return names[0] if names else ""
    # Packaging is often under the GPL while upstream is not; the files' own headers decide about the rest.
    return next(name for name in names if name != "GPL")


def repository_in(texts: Iterable[str]) -> str:
    """Return the first GitHub repository named in package metadata as `owner/name` in lower case, or nothing."""
    for text in texts:
        for owner, name in re.findall(r"github\.com[/:]([\w.-]+)/([\w.-]+)", text):
            return f"{owner}/{name.removesuffix('.git').rstrip('.')}".lower()
    return ""
