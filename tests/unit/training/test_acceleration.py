import torch
from tiny_models import EMBEDDING, random_ids, random_model

from codet5p.training.acceleration import attention_kernels


def test_plain_attention_computes_what_the_fused_kernel_does() -> None:
    model, ids_BS = random_model(EMBEDDING), random_ids(2, 7)
    mask_BS = torch.tensor([[True] * 7, [True] * 4 + [False] * 3])
    states, gradients = [], []
    for kind in ("fused", "plain"):
        model.zero_grad()
        with attention_kernels(kind):  # type: ignore[arg-type]
            states.append(model.encode(ids_BS, mask_BS)[mask_BS])
        states[-1].square().sum().backward()
        gradients.append(model.encoder.layers[0].self_attention.query.weight.grad.clone())
    torch.testing.assert_close(states[1], states[0])
    torch.testing.assert_close(gradients[1], gradients[0])


def test_the_choice_ends_with_its_context() -> None:
    was_allowed = torch.backends.cuda.fp16_bf16_reduction_math_sdp_allowed()
    with attention_kernels("plain"):
        assert not torch.backends.cuda.flash_sdp_enabled()
    assert torch.backends.cuda.flash_sdp_enabled()
    assert torch.backends.cuda.fp16_bf16_reduction_math_sdp_allowed() == was_allowed
