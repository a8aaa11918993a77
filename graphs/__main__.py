"""Make the models, sample events and cases of the graphs anew: `python -m graphs [NAME...]`."""

import sys

from graphs.making import FOLDER, load, write


def main(names: list[str]) -> None:
    """Write the files of these graphs, of all without a name, and print how good each model is."""
    for name in names or sorted(path.parent.name for path in FOLDER.glob("*/make.py")):
        make = load(name, "make")
        write(FOLDER / name, make.export(), make.sample_events(), make.cases())
        print(f"{name}: {make.quality()}")


if __name__ == "__main__":
    main(sys.argv[1:])
