"""Messages of the library in the words of the command line."""

from lossctl import errors
from lossctl.words import shell_word

FLAGS = {
    "delimiter": "-d",
    "format": "-F",
    "gradient": "--grad",
    "header": "--no-header",
    "ids": "--id",
    "label": "-y",
    "output": "-o",
    "prediction": "-p",
    "verify": "--no-verify",
    "weight": "-w",
}
"""Flags that are not the name of the argument after two dashes."""

ELSEWHERE = {
    word: ours
    for ours, words in {
        "--loss": "--metric --metrics --eval-metric --objective --loss-function --loss-fn --criterion",
        "--label": "--target --target-col --target-column --label-col --label-column --true --truth --y --y-true "
        "--ground-truth --actual",
        "--pred": "--pred-col --pred-column --prediction --predictions --prediction-col --preds --p --y-pred --y-hat "
        "--y-prob --y-proba --y-score --prob --proba --scores --model --models",
        "--classes": "--class-names --target-names --pos-label --positive-class",
        "--weight": "--weights --weight-col --sample-weight --sample-weights",
        "--by": "--group --group-by --groupby --groups",
        "--id": "--id-col --key --on --index-col",
        "--delimiter": "--sep --separator",
        "--null-values": "--na-values --na --nan-values",
        "--nulls drop": "--skipna --skip-na --dropna --drop-na --drop-nulls",
        "--ignore-label": "--ignore-index --ignore-class",
        "--skip-rows": "--skiprows",
        "--where": "--filter --query --select --subset",
        "--limit": "--nrows --n-rows --max-rows --head",
        "--top": "--top-k --topk",
        "--sort": "--sort-by",
        "--from-logits": "--logits --with-logits --sigmoid --softmax",
        "--eps": "--epsilon",
        "--reduction": "--reduce --aggregate --agg",
        "--threads": "--jobs --n-jobs --workers --num-workers",
        "--output": "--out --out-file --outfile --output-file",
        "--fail-above": "--threshold --max --max-loss --fail-over",
        "--skill": "--baseline",
        "--precision": "--digits --decimals",
        "--ci": "--confidence --confidence-level --confidence-interval --conf-int",
        "--quiet": "--silent",
        "--normalize-rows": "--normalize --normalise --renormalize",
        "--loss bce:pos_weight=N": "--pos-weight --scale-pos-weight",
        "--loss huber:delta=N": "--delta --huber-delta",
        "--loss focal:gamma=N": "--gamma --focal-gamma",
        "--loss focal:alpha=N": "--alpha --focal-alpha",
        "--loss NAME:label_smoothing=N": "--label-smoothing --smoothing",
        "--class-weight": "--class-weights",
        "--columns sum": "--multioutput",
    }.items()
    for word in words.split()
}
"""Flags of other tools, and those of ours that are meant."""


def flag(name: str, values: list[str]) -> str:
    """An option as it is typed."""
    typed = FLAGS.get(name, f"--{name.replace('_', '-')}")
    if not values or values in (["True"], ["False"]):
        return typed
    return " ".join(f"{typed} {_quoted(value)}" for value in values)


def _quoted(value: str) -> str:
    r"""A value as a shell takes it; a lone sign is quoted too, to be told from the sentence, and a tab is ``\t``."""
    if any(map(str.isalnum, value)):
        return shell_word(value)
    return repr(value) if len(value) == 1 else f"'{value}'" if shell_word(value) == value else shell_word(value)


def worded(text: str) -> str:
    """A message with its options as flags."""
    return errors.worded(text, flag)
