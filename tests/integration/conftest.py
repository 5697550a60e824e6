"""A small random model, exported: once for the whole layer."""

from dataclasses import replace

import pytest
from exported_models import decided_model, exported
from small_artifact import SMALL

from codet5p.core.assembly import AssembledModels
from codet5p.model.transformer import CodeT5pModel


@pytest.fixture(scope="session", params=[True, False], ids=["tied head", "own head"])
def torch_model(request: pytest.FixtureRequest) -> CodeT5pModel:
    return decided_model(replace(SMALL, tie_head=request.param))


@pytest.fixture(scope="session")
def float32_models(torch_model: CodeT5pModel, tmp_path_factory: pytest.TempPathFactory) -> AssembledModels:
    return exported(torch_model, tmp_path_factory.mktemp("float32"), quantization="float32")


@pytest.fixture(scope="session")
def int8_models(torch_model: CodeT5pModel, tmp_path_factory: pytest.TempPathFactory) -> AssembledModels:
    return exported(torch_model, tmp_path_factory.mktemp("int8"), quantization="int8")
