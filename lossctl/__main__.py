"""``lossctl`` and ``python -m lossctl``: signals are answered before anything else is loaded."""

from lossctl.cli import signals


def main() -> None:
    """The entry point of the ``lossctl`` script."""
    signals.answer()
    from lossctl.cli.app import main as run  # noqa: PLC0415  (takes a tenth of a second)

    run()


if __name__ == "__main__":
    main()
