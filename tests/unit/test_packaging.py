"""What setuptools is told by hand is what lies on disk."""

from importlib.metadata import requires, version

from source_files import ROOT, module_name, setuptools_table, source_folders

from codet5p import __version__


def packages_on_disk() -> set[str]:
    return {
        module_name(path.relative_to(ROOT))
        for folder in source_folders().values()
        for path in folder.rglob("__init__.py")
    }


def folder_of(package: str) -> str:
    parts = package.split(".")
    return "/".join(parts if len(parts) == 1 or not (ROOT / parts[1]).is_dir() else parts[1:])


def test_every_package_on_disk_is_packaged_and_no_other() -> None:
    assert packages_on_disk() == set(setuptools_table()["packages"])


def test_the_packages_are_listed_once_and_in_order() -> None:
    packages = setuptools_table()["packages"]
    assert packages == sorted(set(packages))


def test_every_folder_with_python_files_is_a_package() -> None:
    for folder in source_folders().values():
        with_code = {path.parent for path in folder.rglob("*.py")}
        assert {path for path in with_code if not (path / "__init__.py").exists()} == set()


def test_all_data_that_is_promised_exists() -> None:
    for package, patterns in setuptools_table()["package-data"].items():
        for pattern in patterns:
            if pattern == "*/*.md":
                continue  # a model card may be missing from an artifact, its weights may not
            assert list((ROOT / folder_of(package)).glob(pattern)), f"{package}: {pattern}"


def test_every_file_of_the_artifact_and_of_the_examples_is_packaged() -> None:
    for package in ("codet5p.artifacts", "codet5p.examples"):
        folder = ROOT / folder_of(package)
        patterns = setuptools_table()["package-data"][package]
        packaged = {path for pattern in patterns for path in folder.glob(pattern)}
        on_disk = {path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
        assert {path for path in on_disk if path.suffix != ".py"} == packaged


def test_the_installed_version_is_the_one_in_the_source() -> None:
    assert version("codet5p") == __version__


def test_a_default_install_has_no_torch() -> None:
    default = [requirement for requirement in requires("codet5p") or [] if "extra ==" not in requirement]
    assert default
    assert not [requirement for requirement in default if requirement.startswith(("torch", "transformers"))]
