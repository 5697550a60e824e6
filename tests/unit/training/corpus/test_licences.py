"""The licence allow-list, by expression, package metadata and file header."""

import pytest

from codet5p.training.corpus.licences import (
    debian_licences,
    header_is_copyleft,
    is_permissive,
    npm_licence,
    repository_in,
    wheel_licence,
)


@pytest.mark.parametrize(
    "expression",
    """MIT|Expat|Apache-2.0|Apache License, Version 2.0|BSD License|BSD-3-Clause|ISC|Zlib|zlib/libpng|PSF-2.0|BSL-1.0
    |Python Software Foundation License|(BSD-3-Clause OR GPL-2.0)|GPL-2 or Ruby|MIT/X11|Expat or Custom|PHP-3.01
    |BSD-3-Clause AND 0BSD AND MIT AND Zlib AND CC0-1.0|Apache-2.0 WITH LLVM-exception|MIT License (Expat)
    |public-domain|Simplified BSD License""".replace("\n    ", "").split("|"),
)
def test_permissive_expressions_pass(expression: str) -> None:
    assert is_permissive(expression)


@pytest.mark.parametrize(
    "expression",
    """|GPL-2|GPL-3.0-or-later|LGPL-2.1|AGPL-3.0|MPL-2.0|EPL-1.0|GPL-2+ and MIT|MIT AND GPL-3.0|Proprietary
    |GNU General Public License (GPL)|CC-BY-SA-4.0|Elastic-2.0|SSPL-1.0|UNLICENSED""".replace("\n    ", "").split("|"),
)
def test_other_expressions_are_refused(expression: str) -> None:
    assert not is_permissive(expression)


@pytest.mark.parametrize(
    ("header", "copyleft"),
    [
        ("/* Licensed under the MIT licence. */", False),
        ("# This program is free software under the terms of the GNU General Public License", True),
        ("// SPDX-License-Identifier: GPL-2.0-only", True),
        ("// SPDX-License-Identifier: MPL-2.0", True),
        ("// SPDX-License-Identifier: MIT OR GPL-2.0", False),
        ("// This Source Code Form is subject to the terms of the Mozilla Public License", True),
        ("/* Dual licensed under the MIT and GPL licenses. */", False),
        ("# You may use this under the BSD licence, or under the GPL, at your choice.", False),
        ("# no word of any licence", False),
    ],
)
def test_headers_are_judged(header: str, copyleft: bool) -> None:
    assert header_is_copyleft(header) is copyleft


@pytest.mark.parametrize(
    ("metadata", "licence"),
    [
        ("Name: a\nLicense-Expression: MIT\nLicense: other\n\nText", "MIT"),
        ("Name: a\nClassifier: License :: OSI Approved :: BSD License\n\nText", "BSD License"),
        ("Name: a\nLicense: Apache 2.0\n", "Apache 2.0"),
        ("Name: a\n\nLicense: MIT", ""),
    ],
)
def test_wheels_state_their_licence(metadata: str, licence: str) -> None:
    assert wheel_licence(metadata) == licence


@pytest.mark.parametrize(
    ("package", "licence"),
    [
        ('{"license": "MIT"}', "MIT"),
        ('{"license": {"type": "ISC"}}', "ISC"),
        ('{"licenses": [{"type": "MIT"}, {"type": "GPL-2.0"}]}', "MIT OR GPL-2.0"),
        ('{"name": "a"}', ""),
        ("not json", ""),
    ],
)
def test_npm_packages_state_their_licence(package: str, licence: str) -> None:
    assert npm_licence(package) == licence


MACHINE_READABLE = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: debian/*
License: GPL-3+

Files: *
Copyright: 2020 A
License: Expat
"""


@pytest.mark.parametrize(
    ("text", "licence"),
    [
        (MACHINE_READABLE, "Expat"),
        ("Upstream:\n Permission is hereby granted, free of charge, to any person\n", "MIT"),
        ("Packaging under the GPL.\n Redistribution and use in source and\n binary forms, with or without", "BSD"),
        ("This is under the GNU General Public License.", "GPL"),
        ("nothing known", ""),
    ],
)
def test_debian_copyright_gives_the_main_licence(text: str, licence: str) -> None:
    assert debian_licences(text) == licence


def test_the_repository_is_read_from_metadata() -> None:
    assert repository_in(["x", '{"url": "git+https://github.com/Owner/Name.git"}']) == "owner/name"
    assert repository_in(["Source: https://example.org/x"]) == ""
