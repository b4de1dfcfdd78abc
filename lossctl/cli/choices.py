"""What may be said, for the shell that completes it."""


def complete_losses(incomplete: str) -> list[tuple[str, str]]:
    """Names of losses for shell completion, with what they are."""
    from lossctl.functions.loss import losses

    done, comma, last = incomplete.rpartition(",")
    return [(f"{done}{comma}{it.name}", it.summary) for it in losses if it.name.startswith(last)]


def complete_activations(incomplete: str) -> list[tuple[str, str]]:
    """Names of activations for shell completion, with what they are."""
    from lossctl.functions.activation import activations

    return [(it.name, it.summary) for it in activations if it.name.startswith(incomplete)]


def complete_names(incomplete: str) -> list[tuple[str, str]]:
    """Names of losses and activations for shell completion, with what they are."""
    return [*complete_losses(incomplete), *complete_activations(incomplete)]
