"""What one item looks like, decided before it is drawn."""

import random
from dataclasses import dataclass, replace

from recommender.demo.drawing.cloth import BLACK, RGB, WHITE, Cloth, darker, luminance


@dataclass(frozen=True, kw_only=True)
class Look:
    """The choices that the drawing and the item's name must agree on."""

    gender: str
    cloth: Cloth
    print_name: str  # as the item's name has it, such as "Striped"; empty if plain
    seed: int

    @property
    def rng(self) -> random.Random:
        """Choices that the name does not mention; the same on each call."""
        return random.Random(self.seed)

    @property
    def feminine(self) -> bool:
        """Whether the cut follows a waist."""
        return self.gender in ("Women", "Girls")

    @property
    def kid(self) -> bool:
        """Whether the wearer is a child."""
        return self.gender in ("Boys", "Girls")

    def plain(self, material: str | None = None, colour: RGB | None = None) -> Cloth:
        """The item's cloth without its print."""
        return replace(
            self.cloth,
            pattern="solid",
            material=material or self.cloth.material,
            colour=colour or self.cloth.colour,
        )

    def trim(self, share: float = 0.8) -> RGB:
        """A tone of the item's colour that shows against it."""
        dark = luminance(self.cloth.colour) < 0.22
        return darker(self.cloth.colour, 2 - share if dark else share)

    @property
    def contrast(self) -> RGB:
        """White on dark, black on light."""
        return WHITE if luminance(self.cloth.colour) < 0.55 else BLACK
