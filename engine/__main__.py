"""`python -m engine` is `ringdown`."""

from engine.cli import main

if __name__ == "__main__":
    main()
