"""Draw which room of the package stands on which, from its imports, as README shows it.

python -m scripts.draw_house            # prints the diagram
python -m scripts.draw_house --readme README.md
"""

import argparse
import ast
import re
import sys
from graphlib import TopologicalSorter
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "recommender"
ROAD = ("pictures", "catalog", "encoding", "index", "store", "search", "service", "ui")
"""What a picture goes through from a stranger's bytes to the page."""

GROUND = {"errors", "schema", "files"}
"""Single modules that any room may stand on; drawn, they would hide the rest."""

_BLOCK = re.compile(r"(?<=<!-- house -->\n).*?(?=<!-- /house -->)", re.DOTALL)


def imported(tree: ast.AST) -> set[str]:
    """Full names of what a module imports, `from a import b` as `a.b`."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def imports_of_rooms(package: Path = PACKAGE) -> dict[str, set[str]]:
    """A room (a folder of the package, or a module at its top) -> the other rooms it imports."""
    rooms: dict[str, set[str]] = {}
    for path in sorted(package.rglob("*.py")):
        if path.name == "__init__.py":
            continue
        room = path.relative_to(package).with_suffix("").parts[0]
        names = imported(ast.parse(path.read_text(encoding="utf-8")))
        used = {name.split(".")[1] for name in names if name.startswith("recommender.")}
        rooms[room] = rooms.get(room, set()) | used - {room}
    return rooms


def arrows(rooms: dict[str, set[str]]) -> list[tuple[str, str]]:
    """From each room to those that stand on it directly; what follows from others is left out."""
    # Sorted, since a set has another order in each process.
    graph = {room: sorted(rooms[room]) for room in sorted(rooms)}
    order = [*TopologicalSorter(graph).static_order()]
    below: dict[str, set[str]] = {}
    direct = []
    for room in order:
        used = rooms.get(room, set()) - GROUND
        through = set().union(*(below[other] for other in used))
        below[room] = used | through
        direct += [(other, room) for other in sorted(used - through, key=order.index)]
    return direct


def draw(rooms: dict[str, set[str]]) -> str:
    """The arrows as a Mermaid diagram, the rooms of the road marked."""
    lines = [f"  {below} --> {above}" for below, above in arrows(rooms)]
    return "\n".join(
        [
            "```mermaid",
            "flowchart LR",
            *lines,
            "  ui --> app.py",
            "  classDef road stroke-width:3px",
            f"  class {','.join(ROAD)} road",
            "```\n",
        ]
    )


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--readme", type=Path, help="a file whose diagram is drawn anew")
    options = parser.parse_args(argv)
    diagram = draw(imports_of_rooms())
    if options.readme:
        text = options.readme.read_text(encoding="utf-8")
        options.readme.write_text(_BLOCK.sub(lambda _: diagram, text), encoding="utf-8")
    else:
        print(diagram, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
