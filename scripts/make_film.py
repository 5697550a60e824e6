"""Make `docs/images/vscode.gif` of the pictures that `vscode-client/e2e/run.sh film` has taken.

All pictures share one palette, and each frame holds only what has changed: that keeps the film small.
"""

import json
import sys
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "vscode-client/dist/film"
FILM = ROOT / "docs/images/vscode.gif"
COLORS = 64
MOST_BYTES = 1_500_000


def main() -> int:
    """Write the film; fail if it is too large for a README."""
    frames = json.loads((PICTURES / "frames.json").read_text("utf-8"))
    pictures = [Image.open(PICTURES / frame["file"]).convert("RGB") for frame in frames]
    palette = _common_palette(pictures)
    reduced = [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]
    durations = [frame["milliseconds"] for frame in frames]
    reduced[0].save(
        FILM, save_all=True, append_images=reduced[1:], duration=durations, loop=0, optimize=True, disposal=1
    )
    size = FILM.stat().st_size
    sys.stdout.write(f"{FILM.relative_to(ROOT)}: {len(frames)} frames, {size:,} bytes\n")
    return int(size > MOST_BYTES)


def _common_palette(pictures: list[Image.Image]) -> Image.Image:
    """Return the palette of a strip of pictures from the whole film."""
    chosen = pictures[:: max(len(pictures) // 12, 1)]
    strip = Image.new("RGB", (chosen[0].width, sum(picture.height for picture in chosen)))
    top = 0
    for picture in chosen:
        strip.paste(picture, (0, top))
        top += picture.height
    return strip.quantize(colors=COLORS)


if __name__ == "__main__":
    sys.exit(main())
