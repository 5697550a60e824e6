"""Learning from teachers: the next-token distribution of a larger decoder, and the similarities of a text encoder.

Shape legend: N predicted positions, V vocabulary, D student width, F teacher width, B texts, E student embedding width,
G teacher embedding width.
"""

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own name for it
from torch.utils.checkpoint import checkpoint

from codet5p.training.objectives.cross_entropy import CHUNK_POSITIONS, IGNORED_LABEL

__all__ = ["similarity_distillation_loss", "summed_distillation_loss"]


def summed_distillation_loss(
    student: tuple[Tensor, Tensor],
    teacher: tuple[Tensor, Tensor],
    labels_N: Tensor,
    *,
    chunk_positions: int = CHUNK_POSITIONS,
) -> Tensor:
    """Return the cross-entropy of the student against the teacher's distribution, summed, in nats.

    Args:
        student: Hidden states [N, D] and output projection [V, D].
        teacher: Hidden states [N, F] and output projection [V, F]; no gradient.
        labels_N: Only says where something is predicted: not at `IGNORED_LABEL`.
        chunk_positions: Positions whose logits exist at the same time; they are computed again for the gradient.

    Returns:
        A scalar, float32; least where both distributions agree, and then the teacher's entropy.

    Source: Hinton et al. 2015 (arXiv 1503.02531), at temperature 1.
    """
    total = torch.zeros((), device=labels_N.device)
    valid_N = labels_N != IGNORED_LABEL
    for start in range(0, len(labels_N), chunk_positions):
        chunk = slice(start, start + chunk_positions)
        total = total + checkpoint(
            _soft_cross_entropy,
            student[0][chunk],
            student[1],
            teacher[0][chunk].detach(),
            teacher[1].detach(),
            valid_N[chunk],
            use_reentrant=False,
        )
    return total


def _soft_cross_entropy(
    student_ND: Tensor, student_VD: Tensor, teacher_NF: Tensor, teacher_VF: Tensor, valid_N: Tensor
) -> Tensor:
    expected_NV = (teacher_NF @ teacher_VF.T).float().softmax(-1)
    log_probabilities_NV = (student_ND @ student_VD.T).float().log_softmax(-1)
    return -((expected_NV * log_probabilities_NV).sum(-1) * valid_N).sum()


def similarity_distillation_loss(text_BE: Tensor, teacher_BG: Tensor, *, temperature: float = 0.05) -> Tensor:
    """Return how far the student's similarities between texts are from the teacher's, in nats a text.

    The two spaces may have different widths: compared is which other texts of the batch each text is close to.

    Args:
        text_BE: L2-normalised student embeddings.
        teacher_BG: L2-normalised teacher embeddings.
        temperature: Of both distributions over the other texts.

    Returns:
        The mean Kullback-Leibler divergence, a float32 scalar; 0 for equal similarities.

    Raises:
        ValueError: If there are fewer than three texts: two have but one other each.

    Source: relational distillation, Park et al. 2019 (arXiv 1904.05068), with distributions in place of distances.
    """
    if len(text_BE) < 3:
        raise ValueError(f"similarities need at least three texts, got {len(text_BE)}")
    others_BB = ~torch.eye(len(text_BE), dtype=torch.bool, device=text_BE.device)
    student_BO = (text_BE.float() @ text_BE.float().T)[others_BB].view(len(text_BE), -1)
    teacher_BO = (teacher_BG.float() @ teacher_BG.float().T)[others_BB].view(len(text_BE), -1)
    return F.kl_div(
        (student_BO / temperature).log_softmax(-1),
        (teacher_BO / temperature).log_softmax(-1),
        reduction="batchmean",
        log_target=True,
    )
