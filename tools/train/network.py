"""The network: cepstra in at 10 ms, a score per state out at 30 ms. Factored time-delay layers with shortcuts.

A front layer sees 5 frames, a second one 3 of its outputs and keeps every third; then each block narrows (linear, now
and one step back), widens (affine, now and one step ahead), normalises, rectifies, and adds two thirds of its input.
Normalisation is folded into the weights for export, so that Kaldi sees affine layers, rectifiers and sums alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch  # type: ignore[import-not-found, unused-ignore]
from numpy.typing import NDArray
from torch.nn import functional  # type: ignore[import-not-found, unused-ignore]

from tools.train.export import SHORTCUT, Affine, Layer

SPLICE = 2  # frames to either side in the front layer


@dataclass(frozen=True)
class Shape:
    """inputs and outputs per frame; `front` and `width` units; `blocks` factored layers narrowing to `neck`."""

    inputs: int
    outputs: int
    front: int = 256
    width: int = 448
    neck: int = 104
    blocks: int = 6

    @property
    def context(self) -> int:
        """Frames of 10 ms that the network sees to either side."""
        return SPLICE + 1 + 3 * self.blocks


def affines(shape: Shape) -> dict[str, tuple[int, int]]:
    """(inputs, outputs) of every affine layer by name, in order."""
    sizes = {
        "front": (shape.inputs * (2 * SPLICE + 1), shape.front),
        "third": (3 * shape.front, shape.width),
    }
    for number in range(shape.blocks):
        sizes[f"narrow{number}"] = (2 * shape.width, shape.neck)
        sizes[f"widen{number}"] = (2 * shape.neck, shape.width)
    sizes["output"] = (shape.width, shape.outputs)
    return sizes


class Network:
    """Parameters by name and the way through them. `training` says which normalisation: the batch's or the run's."""

    def __init__(self, shape: Shape, seed: int) -> None:
        self.shape, self.training = shape, True
        source = torch.Generator().manual_seed(seed)
        self.weights: dict[str, Any] = {}
        self.running: dict[str, Any] = {
            "input.mean": torch.zeros(shape.inputs),
            "input.scale": torch.ones(shape.inputs),
        }
        for name, (inputs, outputs) in affines(shape).items():
            weight = torch.randn(outputs, inputs, generator=source) / inputs**0.5
            self.weights[f"{name}.weight"] = torch.zeros_like(weight) if name == "output" else weight
            if not name.startswith("narrow"):
                self.weights[f"{name}.bias"] = torch.zeros(outputs)
            if not name.startswith("narrow") and name != "output":
                self.running[f"{name}.mean"] = torch.zeros(outputs)
                self.running[f"{name}.variance"] = torch.ones(outputs)
        for weight in self.weights.values():
            weight.requires_grad_(True)

    def _affine(self, name: str, inputs: Any) -> Any:
        return functional.linear(inputs, self.weights[f"{name}.weight"], self.weights.get(f"{name}.bias"))

    def _narrowed(self, name: str, inputs: Any) -> Any:
        """The affine of one step back and now: both halves of the weights at once, then shifted sums."""
        weight = self.weights[f"{name}.weight"]
        units = inputs.shape[-1]
        both = functional.linear(inputs, torch.cat([weight[:, :units], weight[:, units:]], 0))
        return both[..., len(weight) :] + functional.pad(both[:, :-1, : len(weight)], (0, 0, 1, 0))

    def _rectified(self, name: str, inputs: Any) -> Any:
        """Affine, normalised over batch and time, rectified."""
        sums = self._affine(name, inputs)
        flat = functional.batch_norm(
            sums.reshape(-1, sums.shape[-1]), self.running[f"{name}.mean"], self.running[f"{name}.variance"],
            training=self.training, momentum=0.05,
        )  # fmt: skip
        return functional.relu(flat).reshape(sums.shape)

    def __call__(self, cepstra: Any) -> Any:
        """(utterances, 3 · frames − 2 + 2 · context, inputs) to (utterances, frames, outputs)."""
        inputs = (cepstra - self.running["input.mean"]) * self.running["input.scale"]
        steps = inputs.shape[1] - 2 * SPLICE
        at = self._rectified("front", torch.cat([inputs[:, k : k + steps] for k in range(2 * SPLICE + 1)], -1))
        frames = at.shape[1] // 3
        at = self._rectified("third", at[:, : 3 * frames].reshape(len(at), frames, -1))
        # Blocks keep the number of frames (what is beyond the ends counts as zero): copies cost more than the few
        # frames that are computed in vain; the end cuts off all that saw a zero.
        for number in range(self.shape.blocks):
            narrow = self._narrowed(f"narrow{number}", at)
            wide = self._rectified(
                f"widen{number}", torch.cat([narrow, functional.pad(narrow[:, 1:], (0, 0, 0, 1))], -1)
            )
            at = torch.add(wide, at, alpha=SHORTCUT)
        at = at[:, self.shape.blocks : frames - self.shape.blocks]
        return self._affine("output", at)

    def state(self) -> dict[str, Any]:
        return {name: tensor.detach().clone() for name, tensor in {**self.weights, **self.running}.items()}

    def restore(self, state: dict[str, Any]) -> None:
        """Take over what `state` holds; what it lacks stays as it is."""
        with torch.no_grad():
            for name, tensor in {**self.weights, **self.running}.items():
                if name in state:
                    tensor.copy_(state[name])

    def follow(self, other: Network, share: float) -> None:
        """Come nearer to `other` by this share of the distance: a running mean of where it has been."""
        with torch.no_grad():
            theirs = {**other.weights, **other.running}
            for name, tensor in {**self.weights, **self.running}.items():
                tensor.lerp_(theirs[name], share)


def averaged(states: list[dict[str, Any]]) -> dict[str, Any]:
    """The mean of several states: the last epochs of a run are usually better together than any one of them."""
    return {name: torch.stack([state[name] for state in states]).mean(0) for name in states[0]}


def layers(shape: Shape, state: dict[str, Any]) -> list[Layer]:
    """The trained network as Kaldi is to compute it, normalisation folded in."""

    def array(name: str) -> NDArray[np.float64]:
        return np.asarray(state[name].to(torch.float64))

    def folded(
        name: str, offsets: tuple[int, ...], scale: NDArray[np.float64] | None, shift: NDArray[np.float64] | None
    ) -> Affine:
        weight = array(f"{name}.weight")
        bias = array(f"{name}.bias") if f"{name}.bias" in state else np.zeros(len(weight))
        if scale is not None and shift is not None:  # inputs are to be (x + shift) · scale
            bias = bias + weight @ np.tile(shift * scale, len(offsets))
            weight = weight * np.tile(scale, len(offsets))
        if f"{name}.mean" in state:
            gain = 1 / np.sqrt(array(f"{name}.variance") + 1e-5)
            weight, bias = weight * gain[:, None], (bias - array(f"{name}.mean")) * gain
        return Affine(offsets, weight.astype(np.float32), bias.astype(np.float32))

    found = [
        Layer("front", [folded("front", (-2, -1, 0, 1, 2), array("input.scale"), -array("input.mean"))], True, False),
        Layer("third", [folded("third", (-1, 0, 1), None, None)], True, False),
    ]
    for number in range(shape.blocks):
        parts = [folded(f"narrow{number}", (-3, 0), None, None), folded(f"widen{number}", (0, 3), None, None)]
        found.append(Layer(f"block{number}", parts, True, True))
    return [*found, Layer("output", [folded("output", (0,), None, None)], False, False)]
