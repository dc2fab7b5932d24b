"""What a method of explanation is, and the registry of them.

A method gives every pixel of a face a share in the logit of one emotion, or shows where the network attends, whatever
it answers. Each stands in a file of its own under `methods/`, registers itself, and is found by the command, the page
and the tests. Listing the methods loads neither
torch nor Captum; only running one does.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from fer_core.explain.controls import Control, resolve
from fer_core.registry import Registry

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from fer_core.models.base import FerModel


class Explainer(ABC):
    """One method.

    Attributes:
        name: public name.
        title: the name as people write it.
        description: one sentence for a visitor who has never heard of it.
        paper: address of the publication.
        signed: whether a pixel can speak against the emotion (heat in [-1, 1]) or only matter more or less ([0, 1]).
        targeted: whether the heat depends on the emotion that is explained; attention does not.
        controls: what may be set, with ranges and defaults.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    description: ClassVar[str]
    paper: ClassVar[str]
    signed: ClassVar[bool] = False
    targeted: ClassVar[bool] = True
    controls: ClassVar[tuple[Control, ...]] = ()

    def options(self, **given: Any) -> dict[str, Any]:
        """All controls' values; raises ConfigError for an unknown control or a value out of its range."""
        return resolve(self.name, self.controls, given)

    def check(self, model: FerModel) -> None:  # noqa: B027  (most methods suit every model)
        """Raises UnsupportedError, with one sentence, where the method would be wrong for `model`.

        Args:
            model: a private copy (see `isolate.py`), free to be hooked.
        """

    def controls_for(self, model: FerModel) -> tuple[Control, ...]:
        """The controls with the ranges that `model` has, where they depend on it (layers, heads).

        Args:
            model: a private copy of a model that the method suits.
        """
        return self.controls

    def pictures(self, model: FerModel, faces: Tensor, crop: np.ndarray, **options: Any) -> dict[str, np.ndarray]:
        """Further pictures that belong to the explanation of one face, by what they show; none unless overridden.

        Args:
            model: a private copy.
            faces: (1, 1, H, W) normalised.
            crop: uint8 (H, W), the same face.
            options: every control's value, checked.

        Returns:
            uint8 (h, w) each.
        """
        return {}

    def numbers(self, model: FerModel, faces: Tensor, **options: Any) -> dict[str, Any]:
        """Numbers that heat cannot tell, for JSON; none unless overridden.

        Args:
            model: a private copy.
            faces: (1, 1, H, W) normalised.
            options: every control's value, checked.

        Returns:
            `range` (`{"of": "gates", "lowest": 0.21, "highest": 0.26}`) where the map that is shown holds weights of
            the model itself, and what the method adds under names of its own.
        """
        return {}

    @abstractmethod
    def attribute(self, model: FerModel, faces: Tensor, targets: list[int], **options: Any) -> Tensor:
        """Raw attributions of the targets' logits.

        Args:
            model: a private copy (see `isolate.py`) in eval mode, free to be hooked.
            faces: (N, 1, H, W) normalised, a leaf of its own that requires its gradient.
            targets: N class indices.
            options: every control's value, checked.

        Returns:
            (N, 1, H, W), signed and in the logits' unit where the method is signed, else not negative.
        """


EXPLAINERS: Registry[Explainer] = Registry("explanation method", package="fer_core.explain.methods")


def register_explainer(cls: type[Explainer]) -> type[Explainer]:
    """Class decorator: one instance goes into EXPLAINERS under the class's `name`."""
    EXPLAINERS.add(cls.name, cls())
    return cls
