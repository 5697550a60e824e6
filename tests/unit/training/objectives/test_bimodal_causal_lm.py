import torch

from codet5p.training.objectives.bimodal_causal_lm import decoder_input_and_labels
from codet5p.training.objectives.cross_entropy import IGNORED_LABEL


def test_the_decoder_opens_with_eos_and_its_task_and_ends_with_eos() -> None:
    ids = torch.tensor([[201, 7, 8, 9], [201, 5, 0, 0]])
    mask = torch.tensor([[True, True, True, True], [True, True, False, False]])
    decoder_input, labels = decoder_input_and_labels(ids, mask, opening=204, eos=205)
    assert decoder_input.tolist() == [[205, 204, 7, 8, 9], [205, 204, 5, 205, 205]]
    assert labels[0].tolist() == [IGNORED_LABEL, 7, 8, 9, 205]
    assert labels[1].tolist() == [IGNORED_LABEL, 5, 205, IGNORED_LABEL, IGNORED_LABEL]


def test_an_empty_side_predicts_only_its_end() -> None:
    decoder_input, labels = decoder_input_and_labels(
        torch.tensor([[201, 0]]), torch.tensor([[True, False]]), opening=203, eos=205
    )
    assert decoder_input.tolist() == [[205, 203, 205]]
    assert labels.tolist() == [[IGNORED_LABEL, 205, IGNORED_LABEL]]
