"""The photographer: pieces of cloth, lit by relief, laid on one another on a white page.

A piece is a silhouette filled with a cloth. Its relief (a puffed-up mask, folds, the drape of
the material and its weave) gives a normal at every pixel, and the normals give the light. That
one rule shades shirts, shoes and watches alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import skia
from PIL import Image

from recommender.demo.drawing.cloth import MATERIALS, RGB, Cloth, darker, grain
from recommender.demo.drawing.shapes import MIDDLE, Field, Points, curve, mirrored, ribbon

WIDTH, HEIGHT = 240, 320
SCALE = 2  # drawn twice as large, then reduced
LIGHT = np.array([-0.40, -0.52, 0.75]) / np.hypot(np.hypot(0.40, 0.52), 0.75)
MARGIN = 12


@dataclass(frozen=True)
class Fold:
    """A soft ridge (`height` > 0) or crease (< 0) along a curve, in units of the page."""

    points: Points
    width: float = 7.0
    height: float = 1.0


def folds(*lines: Points, width: float = 7.0, height: float = 1.0) -> list[Fold]:
    """Each line and its mirror image as a fold."""
    return [Fold(p, width, height) for line in lines for p in (line, mirrored(line))]


def blur(field: Field, sigma: float) -> Field:
    """A near Gaussian blur of a float32 field (h, w): three boxes on a reduced copy."""
    h, w = field.shape
    factor = max(1.0, sigma / 2.45)
    size = max(3, round(w / factor)), max(3, round(h / factor))
    small: Field = np.asarray(Image.fromarray(field).resize(size, Image.Resampling.BOX))
    for _ in range(3):
        for axis in (0, 1):
            pad = [(2, 2) if a == axis else (0, 0) for a in (0, 1)]
            wide, n = np.pad(small, pad), small.shape[axis]
            boxes = [np.take(wide, range(i, i + n), axis) for i in range(5)]
            small = np.add.reduce(boxes) / np.float32(5)
    return np.asarray(Image.fromarray(small).resize((w, h), Image.Resampling.BICUBIC))


def noise(rng: np.random.Generator, shape: tuple[int, int], cell: tuple[float, float]) -> Field:
    """Smooth noise (h, w), unit variance; `cell` is its grain in pixels (down, across)."""
    size = [max(2, round(n / c) + 2) for n, c in zip(shape, cell, strict=True)]
    field = rng.standard_normal(size).astype(np.float32)
    return np.asarray(Image.fromarray(field).resize(shape[::-1], Image.Resampling.BICUBIC))


def surface(width: int, height: int) -> skia.Surface:
    """An empty transparent RGBA surface."""
    info = skia.ImageInfo.Make(
        width, height, skia.ColorType.kRGBA_8888_ColorType, skia.AlphaType.kPremul_AlphaType
    )
    return skia.Surface.MakeRaster(info)


def pixels(drawn: skia.Surface) -> Field:
    """The surface's straight RGBA, float32 of shape (h, w, 4) in 0..1."""
    rgba: Field = drawn.makeImageSnapshot().toarray(colorType=skia.ColorType.kRGBA_8888_ColorType)
    return rgba.astype(np.float32) / np.float32(255)


def ink(
    colour: RGB,
    alpha: float = 1.0,
    *,
    blur: float = 0.0,
    width: float = 0.0,
    dash: Sequence[float] = (),
) -> skia.Paint:
    """A paint that fills, or strokes if `width` is given."""
    paint = skia.Paint(AntiAlias=True, Color=skia.Color(*colour, round(255 * alpha)))
    if width:
        paint.setStyle(skia.Paint.kStroke_Style)
        paint.setStrokeWidth(width)
        paint.setStrokeCap(skia.Paint.kRound_Cap)
        paint.setStrokeJoin(skia.Paint.kRound_Join)
    if dash:
        paint.setPathEffect(skia.DashPathEffect.Make(list(dash), 0))
    if blur:
        paint.setMaskFilter(skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, blur))
    return paint


class Stage:
    """One page on which an item is put together, piece by piece, back to front."""

    def __init__(self, seed: int, *, turn: float = 0.0, zoom: float = 1.0, wide: float = 1.0):
        self.random = np.random.default_rng(seed)
        self.page = surface(WIDTH * SCALE, HEIGHT * SCALE)
        self.canvas = self.page.getCanvas()
        self.canvas.scale(SCALE, SCALE)
        self.canvas.translate(MIDDLE, HEIGHT / 2)
        self.canvas.rotate(turn)
        self.canvas.scale(zoom * wide, zoom)
        self.canvas.translate(-MIDDLE, -HEIGHT / 2)

    def piece(
        self,
        path: skia.Path,
        cloth: Cloth,
        creases: Sequence[Fold] = (),
        *,
        puff: float = 1.0,
        drape: float = 1.0,
        turn: float = 0.0,
        tint: float = 1.0,
        shadow: float = 0.35,
        drop: float = 1.6,
    ) -> None:
        """Lay one lit piece on what is there.

        Args:
            path: the silhouette.
            cloth: what it is made of.
            creases: folds added to the drape of the material.
            puff: how round the piece is; 1 for a garment, less for a flat trim.
            drape: how restless its surface is, as a multiple of the material's own.
            turn: degrees by which the print and weave are turned.
            tint: light that reaches it; below 1 for an inside.
            shadow: strength of the shadow that it throws on what lies below.
            drop: how far that shadow falls.
        """
        if shadow:
            paint = ink((20, 18, 24), shadow, blur=drop * 1.3)
            paint.setBlendMode(skia.BlendMode.kSrcATop)
            self.canvas.save()
            self.canvas.translate(drop * 0.5, drop)
            self.canvas.drawPath(path, paint)
            self.canvas.restore()
        area = self._area(path)
        if area.isEmpty():
            return
        matrix = self.canvas.getTotalMatrix()
        matrix.postTranslate(-area.left(), -area.top())
        layer = surface(area.width(), area.height())
        canvas = layer.getCanvas()
        canvas.setMatrix(matrix)
        canvas.clipPath(path, True)
        cloth.paint(canvas, path.getBounds(), turn)
        flat = pixels(layer)
        mask = flat[..., 3]
        relief = self._relief(mask, cloth, puff, drape)
        if creases:
            relief = relief + self._creases(creases, matrix, area)
        lit = np.dstack([self._light(flat[..., :3], relief, cloth) * tint, mask])
        image = skia.Image.fromarray(
            np.ascontiguousarray((np.clip(lit, 0, 1) * 255 + 0.5).astype(np.uint8)),
            colorType=skia.ColorType.kRGBA_8888_ColorType,
        )
        self.canvas.save()
        self.canvas.resetMatrix()
        self.canvas.drawImage(image, area.left(), area.top())
        self.canvas.restore()

    def pair(
        self, points: Points, cloth: Cloth, creases: Sequence[Fold] = (), **how: float
    ) -> None:
        """A piece on the right and its mirror image on the left."""
        turn = how.pop("turn", 0.0)
        self.piece(curve(points), cloth, creases, turn=turn, **how)
        flipped = [Fold(mirrored(f.points), f.width, f.height) for f in creases]
        self.piece(curve(mirrored(points)), cloth, flipped, turn=-turn, **how)

    def line(
        self,
        path: skia.Path | Points,
        colour: RGB,
        width: float = 0.8,
        alpha: float = 1.0,
        *,
        dash: Sequence[float] = (),
        blur: float = 0.0,
    ) -> None:
        """A thin line drawn on what is there."""
        path = path if isinstance(path, skia.Path) else curve(path, closed=False)
        self.canvas.drawPath(path, ink(colour, alpha, width=width, dash=dash, blur=blur))

    def fill(self, path: skia.Path, colour: RGB, alpha: float = 1.0, *, blur: float = 0.0) -> None:
        """A flat shape drawn on what is there."""
        self.canvas.drawPath(path, ink(colour, alpha, blur=blur))

    def seam(self, points: Points, cloth: Cloth, *, stitch: RGB | None = None) -> None:
        """A sewn line: a soft groove, and its thread where that shows."""
        path = curve(points, closed=False)
        self.line(path, darker(cloth.colour, 0.35), 1.6, 0.35, blur=0.9)
        self.line(path, darker(cloth.colour, 0.55), 0.6, 0.6)
        if stitch:
            self.canvas.save()
            self.canvas.translate(1.6, 1.2)
            self.line(path, stitch, 0.6, 0.9, dash=(2.2, 1.3))
            self.canvas.restore()

    def button(self, x: float, y: float, radius: float, colour: RGB) -> None:
        """A small sewn-on button."""
        dot = skia.PathBuilder().addCircle(x, y, radius).detach()
        self.piece(dot, Cloth(colour, material="plastic"), puff=0.5, shadow=0.5, drop=0.8)
        for dx in (-0.3, 0.3):
            hole = skia.PathBuilder().addCircle(x + dx * radius, y, radius * 0.17).detach()
            self.fill(hole, darker(colour, 0.3), 0.8)

    def zip(self, points: Points, colour: RGB, width: float = 3.4) -> None:
        """A closed zip with metal teeth."""
        self.piece(ribbon(points, width), Cloth(colour, material="cotton"), puff=0.2, shadow=0.3)
        self.line(points, (205, 205, 208), width * 0.42, 0.95, dash=(0.7, 0.8))

    def finish(self, ground: float | None = None) -> Image.Image:
        """The page on white with its soft shadow, reduced to 240 x 320 RGB.

        Args:
            ground: height of the floor below a standing item; lying items have none.
        """
        rgba = pixels(self.page)
        alpha = rgba[..., 3]
        if ground is None:
            cast = np.pad(blur(alpha, 13.0), ((9, 0), (4, 0)))[:-9, :-4] * 0.20
        else:
            rows = np.arange(alpha.shape[0], dtype=np.float32)[:, None] / SCALE
            near = alpha * np.exp(-(((rows - ground) / 14.0) ** 2))
            across = blur(near, 6.0).max(axis=0, keepdims=True)
            floor = np.exp(-(((rows - ground - 1.5) / 4.5) ** 2)) * across
            cast = blur((floor * 0.9).astype(np.float32), 5.0) * 0.6
        tone = np.array([1.0, 0.98, 0.94], np.float32)
        white = np.float32(1) - np.clip(cast, 0, 1)[..., None] * tone
        # The page is read as straight colour, so it is weighed by its alpha here.
        out = rgba[..., :3] * alpha[..., None] + white * (1 - alpha[..., None])
        image = Image.fromarray((np.clip(out, 0, 1) * 255 + 0.5).astype(np.uint8))
        return image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)

    def _area(self, path: skia.Path) -> skia.IRect:
        bounds = self.canvas.getTotalMatrix().mapRect(path.getBounds()).roundOut()
        bounds.outset(MARGIN, MARGIN)
        if not bounds.intersect(skia.IRect.MakeWH(WIDTH * SCALE, HEIGHT * SCALE)):
            return skia.IRect.MakeEmpty()
        return bounds

    def _relief(self, mask: Field, cloth: Cloth, puff: float, drape: float) -> Field:
        """Heights in pixels: the puffed-up mask, the drape and the weave."""
        kind = MATERIALS[cloth.material]
        relief: Field = puff * (22 * blur(mask, 24.0) + 8 * blur(mask, 8.0) + 2.2 * blur(mask, 2.2))
        if kind.fold and drape:
            coarse = noise(self.random, mask.shape, (110, 46))
            fine = noise(self.random, mask.shape, (52, 22))
            # Ridged noise: cloth breaks along lines, it does not ripple like water.
            relief = relief + kind.fold * drape * (1.9 * coarse - 1.5 * np.abs(fine))
        if kind.relief:
            relief = relief + kind.relief * grain(cloth.material, mask.shape, self.random)
        return relief

    def _creases(self, creases: Sequence[Fold], matrix: skia.Matrix, area: skia.IRect) -> Field:
        drawn = surface(area.width(), area.height())
        canvas = drawn.getCanvas()
        canvas.setMatrix(matrix)
        for fold in creases:
            strength = min(1.0, abs(fold.height) / 4)
            paint = ink((255, 0, 0) if fold.height > 0 else (0, 255, 0), strength)
            paint.setMaskFilter(skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, fold.width / 4))
            paint.setBlendMode(skia.BlendMode.kPlus)
            # Folds taper: they rise out of the cloth and sink back into it.
            shape = ribbon(fold.points, 0.2, fold.width * 0.8, fold.width, fold.width * 0.6, 0.2)
            canvas.drawPath(shape, paint)
        rgba = pixels(drawn)
        ridges = (rgba[..., 0] - rgba[..., 1]) * rgba[..., 3]
        return blur(ridges.astype(np.float32), 2.0) * np.float32(8.0)

    def _light(self, flat: Field, relief: Field, cloth: Cloth) -> Field:
        kind = MATERIALS[cloth.material]
        down, across = np.gradient(relief)
        depth = 1 / np.sqrt(down**2 + across**2 + 1)
        normal = np.dstack([-across * depth, -down * depth, depth])
        facing = normal @ LIGHT / LIGHT[2]
        light = 1 + kind.contrast * (facing - 1)
        light = np.clip(light, 0.2, 1.35) * (0.35 + 0.65 * depth)
        if kind.metal:
            # Metal mirrors a studio: bright soft boxes between dark gaps.
            mirror = normal[..., 0] * 2.2 + normal[..., 1] * 3.4
            light = 0.72 + 0.36 * np.sin(mirror * 2.5 + 1.2) + 0.08 * np.sin(mirror * 5.5)
        half = LIGHT + np.array([0, 0, 1])
        gloss = kind.gloss * np.clip(normal @ half / np.linalg.norm(half), 0, 1) ** kind.sharpness
        weave = 1 + kind.grain * grain(cloth.material, relief.shape, self.random)
        lit: Field = flat * (light * weave)[..., None] + gloss[..., None]
        return lit.astype(np.float32)
