"""Put weights between those of two runs, to go on from: each a weighted mean of theirs.

What one run knows and another forgot is kept by both's mean better than by either (WiSE-FT,
arXiv:2109.01903), as far as one went on from the other.

python -m scripts.mix_weights --weights runs/eleventh/weights.safetensors \
    runs/fourteenth/weights.safetensors --share 0.7 --out runs/mix.safetensors
"""

import argparse
import sys
from pathlib import Path

from recommender.encoding.details import PREFIX
from recommender.encoding.weights import Weights, read_weights, write_weights
from recommender.errors import WeightsError
from scripts.command import plain_errors


@plain_errors()
def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", type=Path, nargs=2, required=True, metavar="FILE")
    parser.add_argument("--share", type=float, default=0.5, help="of the second, 0 to 1")
    parser.add_argument("--out", type=Path, required=True, help="the file to write")
    options = parser.parse_args(argv)
    if not 0 <= options.share <= 1:
        parser.error("--share is a number from 0 to 1")
    first, second = map(read_weights, options.weights)
    write_weights(options.out, mixed(first, second, options.share))
    return 0


def mixed(first: Weights, second: Weights, share: float) -> Weights:
    """The mean, of which the second has a share; what only the second has is its own.

    But details, which were fitted to one of the two alone: `scripts.train_details` fits them anew.

    Raises:
        WeightsError: they are not of one kind of network.
    """
    if first.labels != second.labels:
        raise WeightsError("The heads of these weights tell other classes.")
    state = {}
    for name, tensor in second.state.items():
        if name.startswith(PREFIX):
            continue
        other = first.state.get(name, tensor)
        if other.shape != tensor.shape:
            raise WeightsError(f"{name} has other sizes in the two files.")
        state[name] = ((1 - share) * other.float() + share * tensor.float()).to(tensor.dtype)
    return Weights(state, second.config, second.labels)


if __name__ == "__main__":
    sys.exit(main())
