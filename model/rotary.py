"""Rotary position embedding: queries and keys are turned by angles that grow with their position.

Shape legend: B batch (1 where rows share positions), T tokens, H heads, C channels per head, R rotated channels.

Source: RoFormer (arXiv 2104.09864). The two halves of the rotated channels hold the two coordinates of each plane,
as in transformers' Llama; weights that interleave the coordinates (GPT-J, llama.cpp) are permuted on import.
"""

from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["Rotation", "halves_from_interleaved", "positions_in_documents", "rotary_rotation", "rotate"]


class Rotation(NamedTuple):
    """Cosine and sine of each token's angles, float32 [B, 1, T, R]."""

    cosine_B1TR: Tensor
    sine_B1TR: Tensor


def rotary_rotation(positions_BT: Tensor, *, rotary_dim: int, base: float) -> Rotation:
    """Return the rotation of tokens at `positions_BT`.

    Computed anew in each pass from three numbers and not kept in a buffer, which a cast of the model to bfloat16
    would silently round.

    Args:
        positions_BT: Integer positions, counted from 0.
        rotary_dim: Even number R of channels to rotate; all of a head's, or the first few.
        base: Plane r of R / 2 turns by base^(-2r / R) radians per token.

    Returns:
        The rotation, float32.
    """
    exponents_R = torch.arange(0, rotary_dim, 2, dtype=torch.float32, device=positions_BT.device) / rotary_dim
    angles_BTR = positions_BT.unsqueeze(-1) * (1.0 / base**exponents_R)
    angles_B1TR = torch.cat((angles_BTR, angles_BTR), dim=-1).unsqueeze(1)
    return Rotation(angles_B1TR.cos(), angles_B1TR.sin())


def rotate(heads_BHTC: Tensor, rotation: Rotation) -> Tensor:
    """Return `heads_BHTC` with its first R channels rotated and the rest as they are, in the same dtype."""
    rotary_dim = rotation.cosine_B1TR.size(-1)
    turned_BHTR, fixed_BHTX = heads_BHTC.tensor_split([rotary_dim], dim=-1)
    first, second = turned_BHTR.chunk(2, dim=-1)
    quarter_turn_BHTR = torch.cat((-second, first), dim=-1)
    turned_BHTR = turned_BHTR * rotation.cosine_B1TR + quarter_turn_BHTR * rotation.sine_B1TR
    return torch.cat((turned_BHTR.type_as(heads_BHTC), fixed_BHTX), dim=-1)


def positions_in_documents(documents_BT: Tensor) -> Tensor:
    """Return each token's position counted from the start of its packed document.

    Args:
        documents_BT: Integer name of the document of each token; equal neighbours are one document.

    Returns:
        Positions [B, T], int64.
    """
    indices_T = torch.arange(documents_BT.size(1), device=documents_BT.device)
    starts_here_BT = torch.ones_like(documents_BT, dtype=torch.bool)
    starts_here_BT[:, 1:] = documents_BT[:, 1:] != documents_BT[:, :-1]
    starts_BT = (indices_T * starts_here_BT).cummax(dim=1).values
    return indices_T - starts_BT


def halves_from_interleaved(weight_OD: Tensor, *, head_dim: int, rotary_dim: int) -> Tensor:
    """Return a query or key projection whose coordinates lie as halves, from one that interleaves them.

    Queries and keys are permuted alike, so that their scores stay what they were.

    Args:
        weight_OD: Projection with O = heads * head_dim rows; rows 2r and 2r + 1 of a head are plane r.
        head_dim: Rows per head.
        rotary_dim: Rotated rows of each head, the first ones.

    Returns:
        A permuted copy.
    """
    weight_HCD = weight_OD.reshape(-1, head_dim, weight_OD.size(1))
    planes_HRD, fixed_HXD = weight_HCD.tensor_split([rotary_dim], dim=1)
    halves_HRD = torch.cat((planes_HRD[:, 0::2], planes_HRD[:, 1::2]), dim=1)
    return torch.cat((halves_HRD, fixed_HXD), dim=1).reshape(weight_OD.shape)
