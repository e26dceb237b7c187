"""Convolutional attention: queries and keys are causal convolutions, which compare local shapes."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional


class GroupedLinear(nn.Module):
    """G linear maps, each for its own group, in one matrix product.

    Args:
        inputs: I.
        outputs: O.
        groups: G.

    Example:
        >>> GroupedLinear(3, 5, groups=2)(torch.zeros(2, 7, 4, 3)).shape
        torch.Size([2, 7, 4, 5])

    Source: ``torch.nn.Linear`` for each group.
    """

    def __init__(self, inputs: int, outputs: int, groups: int = 1) -> None:
        super().__init__()
        bound = 1 / math.sqrt(inputs)
        self.weight = nn.Parameter(torch.empty(groups, inputs, outputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(groups, 1, outputs).uniform_(-bound, bound))

    def forward(self, x: Float[Tensor, "G1 B T I"]) -> Float[Tensor, "G B T O"]:
        """Each group mapped by its own weights.

        Args:
            x: of G groups, or of one that all maps read; a single map reads any number of groups.

        Returns:
            Of G groups.
        """
        groups = max(len(self.weight), len(x))
        rows, weight, bias = (part.expand(groups, -1, -1) for part in (x.flatten(1, 2), self.weight, self.bias))
        return torch.baddbmm(bias, rows, weight).view(groups, *x.shape[1:3], -1)


class CausalConvolution(nn.Module):
    """A causal convolution over time: ``y[t] = sum_j W[j] x[t - j] + b``, zeros before the first step.

    Args:
        inputs: I.
        outputs: O.
        kernel: how many steps it reads, including the present one; 1 is a linear map of each step.
        groups: G, networks computed in parallel, each with weights of its own.

    Raises:
        ValueError: ``kernel`` is below 1.

    Example:
        >>> convolve = CausalConvolution(1, 1, kernel=2)
        >>> _ = torch.nn.init.constant_(convolve.map.weight, 1.0), torch.nn.init.zeros_(convolve.map.bias)
        >>> convolve(torch.tensor([1.0, 2.0, 4.0]).reshape(1, 1, 3, 1)).flatten().tolist()
        [1.0, 3.0, 6.0]

    Source: Li et al. (2019), Enhancing the Locality and Breaking the Memory Bottleneck of Transformer, section 4.1.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, groups: int = 1) -> None:
        super().__init__()
        if kernel < 1:
            raise ValueError(f"kernel is {kernel}; it must be 1 or more steps")
        self.kernel = kernel
        self.map = GroupedLinear(inputs * kernel, outputs, groups)

    def forward(self, x: Float[Tensor, "G1 B T I"]) -> Float[Tensor, "G B T O"]:
        """The convolution at each step.

        Args:
            x: of G groups, or of one that all read.

        Returns:
            As long as ``x``.

        Source: Li et al. (2019), section 4.1.
        """
        length = x.shape[2]
        before = functional.pad(x, (0, 0, self.kernel - 1, 0))
        shifted = [before[:, :, self.kernel - 1 - j : self.kernel - 1 - j + length] for j in range(self.kernel)]
        return self.map(torch.cat(shifted, dim=-1))


class ConvAttention(nn.Module):
    """Self-attention whose queries and keys are causal convolutions, so that local shapes are compared, not points.

    ``out[t] = W_o sum_s softmax_s(q[t] . k[s] / sqrt(E)) W_v x[s]`` in each head, s up to t; q and k are
    ``CausalConvolution`` of x. With a kernel of 1 it is plain causal attention. No matrix of T x T is kept.

    Args:
        width: D, channels in and out.
        n_heads: H; E is D / H.
        kernel: steps in a query or key.
        groups: G, networks computed in parallel, each with weights of its own.
        causal: whether step t reads the steps up to t only; False: all.

    Raises:
        ValueError: ``width`` is not a multiple of ``n_heads``, or ``kernel`` is below 1.

    Example:
        >>> ConvAttention(width=8, n_heads=2, kernel=3, groups=4)(torch.zeros(4, 5, 10, 8)).shape
        torch.Size([4, 5, 10, 8])

    Source: Li, Jin, Xuan, Zhou, Chen, Wang & Yan (2019), Enhancing the Locality and Breaking the Memory Bottleneck of
        Transformer on Time Series Forecasting, NeurIPS, section 4.1.
    """

    def __init__(self, width: int, n_heads: int, kernel: int = 3, groups: int = 1, causal: bool = True) -> None:
        super().__init__()
        if n_heads < 1 or width % n_heads:
            raise ValueError(f"a width of {width} cannot be split into {n_heads} heads; choose a multiple")
        self.n_heads, self.causal = n_heads, causal
        self.query_key = CausalConvolution(width, 2 * width, kernel, groups)
        self.value = GroupedLinear(width, width, groups)
        self.out = GroupedLinear(width, width, groups)

    def forward(self, x: Float[Tensor, "G B T D"]) -> Float[Tensor, "G B T D"]:
        """Attention of each step to the others.

        Args:
            x: of G groups.

        Returns:
            As ``x``.

        Source: Li et al. (2019), section 4.1.
        """
        width = x.shape[-1] // self.n_heads
        query, key = self.query_key(x).chunk(2, dim=-1)
        heads = (part.reshape(-1, x.shape[2], self.n_heads, width) for part in (query, key, self.value(x)))
        query, key, value = (part.transpose(1, 2) for part in heads)  # (G B, H, T, E)
        mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=self.causal)
        return self.out(mixed.transpose(1, 2).reshape(x.shape))


class ConvTransformer(nn.Module):
    """A Transformer of convolutional attention: an embedding by causal convolution, then L residual layers.

    Each layer adds ``ConvAttention`` of the normalised features, then two linear maps with a GELU between them. The
    residual path itself is not normalised: what is linear in the last ``kernel`` inputs passes through unchanged. Group
    g is a network of its own; all are computed in parallel.

    Args:
        inputs: I, input features of a step.
        width: D.
        n_layers: L.
        n_heads: of the attention.
        kernel: of all convolutions.
        groups: G.
        causal: as in ``ConvAttention``; the embedding is causal in any case.
        dropout: share of the output of a layer that is set to zero during training.
        shared_embedding: one embedding for all groups.

    Raises:
        ValueError: ``width`` is not a multiple of ``n_heads``, or ``kernel`` is below 1.

    Example:
        >>> ConvTransformer(inputs=2, width=8, n_layers=2, n_heads=2, groups=3)(torch.zeros(1, 5, 10, 2)).shape
        torch.Size([3, 5, 10, 8])

    Source: Li et al. (2019), section 4.1; the order of norms: Xiong et al. (2020), On Layer Normalization in the
        Transformer Architecture.
    """

    def __init__(
        self,
        inputs: int,
        width: int,
        n_layers: int = 2,
        n_heads: int = 2,
        kernel: int = 3,
        groups: int = 1,
        *,
        causal: bool = True,
        dropout: float = 0.0,
        shared_embedding: bool = False,
    ) -> None:
        super().__init__()
        self.groups = groups
        self.embed = CausalConvolution(inputs, width, kernel, 1 if shared_embedding else groups)
        self.attend = nn.ModuleList(ConvAttention(width, n_heads, kernel, groups, causal) for _ in range(n_layers))
        self.think = nn.ModuleList(
            nn.Sequential(GroupedLinear(width, 2 * width, groups), nn.GELU(), GroupedLinear(2 * width, width, groups))
            for _ in range(n_layers)
        )
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Float[Tensor, "G1 B T I"]) -> Float[Tensor, "G B T D"]:
        """Features of each step.

        Args:
            x: of G groups, or of one that all read.

        Returns:
            Of G groups, each as long as ``x``.

        Source: Li et al. (2019), section 4.1.
        """
        stream = self.embed(x).expand(self.groups, -1, -1, -1)
        for attend, think in zip(self.attend, self.think, strict=True):
            stream = stream + self.drop(attend(_normed(stream)))
            stream = stream + self.drop(think(_normed(stream)))
        return stream


def _normed(x: Tensor) -> Tensor:
    """Mean 0 and variance 1 over the channels; scale and shift are left to the maps that follow."""
    return functional.layer_norm(x, x.shape[-1:])
