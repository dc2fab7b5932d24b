"""DeepLIFT's rule for the product of two quantities that both depend on the face.

Captum treats a product as linear, which is wrong for gates such as squeeze-and-excitation. With x, g at the face and
x', g' at the reference, xg - x'g' = (x - x')(g + g')/2 + (g - g')(x + x')/2 exactly: the multipliers are the means of
the other factor. This is also the Shapley value of the two factors, as in SHAP's DeepExplainer (Lundberg & Lee 2017,
https://arxiv.org/abs/1705.07874).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from torch import Tensor


def product_rule() -> AbstractContextManager[Any]:
    """A context in which products of two tensors with gradients go back by the rule, in this thread only.

    It is for the inside of Captum's DeepLIFT, where a batch is the faces followed by their references.
    """
    import torch
    from torch.overrides import TorchFunctionMode

    product = _product_function()
    products = {torch.mul, torch.multiply, torch.Tensor.mul, torch.Tensor.multiply, torch.Tensor.__mul__}

    class ProductRule(TorchFunctionMode):
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            if func in products and len(args) == 2 and all(_depends_on_face(arg) for arg in args):
                return product(*args)
            return func(*args, **(kwargs or {}))

    return ProductRule()


def _depends_on_face(value: Any) -> bool:
    import torch

    return isinstance(value, torch.Tensor) and value.requires_grad


def _product_function() -> Any:
    import torch

    class Product(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
            ctx.save_for_backward(a, b)
            return a * b

        @staticmethod
        def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor]:
            a, b = ctx.saved_tensors
            (grad,) = grads
            return _fit(grad * _mean_of_pair(b), a), _fit(grad * _mean_of_pair(a), b)

    return Product.apply


def _mean_of_pair(batch: Tensor) -> Tensor:
    """(2N, ...) faces then references -> (2N, ...), the mean of each face's and its reference's value."""
    import torch

    face, reference = batch.chunk(2)
    return torch.cat(2 * [(face + reference) / 2])


def _fit(grad: Tensor, like: Tensor) -> Tensor:
    """Sums a broadcast gradient back to the factor's shape."""
    return grad.sum_to_size(like.shape)
