"""``python -m vibentropy``: the command line, see `vibentropy.cli`."""

from vibentropy.cli import main

if __name__ == "__main__":
    main(prog_name="vibentropy")
