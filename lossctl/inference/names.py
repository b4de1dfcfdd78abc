"""Names that columns have in the field, by the role they tell."""

import functools
import re
from collections.abc import Iterable

from lossctl.dataclass import dataclass
from lossctl.words import normal

LABELS = (
    frozenset({"label", "y", "y_true", "target", "actual", "truth"}),
    frozenset({
        "labels", "targets", "actuals", "true", "y_test", "y_val", "y_actual", "ground_truth", "groundtruth", "gt",
        "observed", "obs", "observation", "outcome",
        "true_label", "true_value", "label_id", "label_ids", "class_label", "class_id", "class", "response",
        "ist", "ist_wert", "istwert", "tatsächlich", "tatsaechlich", "réel", "reel", "réelle", "reelle",
        "valeur_réelle", "valeur_reelle", "valor_real", "observado", "verdadero", "verdadeiro", "valore_reale",
        "osservato", "effettivo", "werkelijk",
    }),
)  # fmt: skip
"""Names of labels; the first are taken before the others."""

PREDICTIONS = (
    frozenset({
        "prediction", "pred", "y_pred", "y_hat", "yhat", "score", "prob", "proba", "probability",
        "p", "logit", "logits",
    }),
    frozenset({
        "predictions", "predicted", "preds", "predict", "y_predicted", "y_prob", "y_proba", "y_probs", "y_score",
        "y_scores", "y_logit", "y_logits", "scores", "probs", "probas", "probabilities", "pred_proba", "pred_prob",
        "predicted_probability", "predicted_value", "prediction_score", "forecast", "forecasts", "estimate",
        "estimated", "fitted", "output", "outputs", "model_output", "softmax", "sigmoid", "logprob", "logprobs",
        "log_prob", "log_probs", "log_proba", "log_probabilities",
        "prognose", "prognosen", "prognosewert", "vorhersage", "vorhersagen", "vorhergesagt", "prévision", "prevision",
        "prévisions", "previsions", "prédiction", "prédictions", "prédit", "predit", "pronóstico", "pronostico",
        "pronósticos", "pronosticos", "predicción", "prediccion", "predicho", "previsto", "previsão", "previsao",
        "predição", "predicao", "previsione", "previsioni", "predetto", "voorspelling", "voorspeld",
    }),
)  # fmt: skip
"""Names of predictions; the first are taken before the others."""

BESIDE_PREDICTIONS = frozenset({"real", "reale", "reales", "reais", "vrai", "gerçek"})
"""Names of labels where a prediction is named too; else they say what is no fake."""


@dataclass(frozen=True)
class Endings:
    """How names end that tell a role."""

    label: tuple[str, ...]
    prediction: tuple[str, ...]


ENDINGS = Endings(
    ("_true", "_actual", "_label", "_target", "_observed", "_truth", "_ist"),
    (
        "_pred", "_prediction", "_predicted", "_hat", "_prob", "_proba", "_probability", "_score", "_logit",
        "_forecast", "_estimate", "_prognose", "_vorhersage",
    ),
)  # fmt: skip
QUERIES = frozenset({
    "qid", "query_id", "query", "queryid", "srch_id", "search_id", "session_id", "impression_id", "topic_id",
    "request_id", "list_id",
})  # fmt: skip
"""Names of columns that say to which list of a ranking a row belongs."""
_MASKS = r"(^|_)(mask|masks|masked|pad|padded|padding|valid)(_|$)"
_PADDING = r"(^|_)(pad|padded|padding)(_|$)"
_WEIGHTS = r"weight|^(w|wt|wts|exposure)$|_(wt|wts|exposure)$"
_THINGS = frozenset({
    "account", "ad", "ads", "batch", "block", "brand", "campaign", "category", "chunk", "city", "clinic", "cluster",
    "cohort", "conversation", "country", "county", "customer", "date", "day", "department", "dept", "device",
    "district", "doc", "document", "document_no", "driver", "epoch", "experiment", "file", "film", "fold", "game",
    "genre", "hospital", "hour", "household", "item", "keyword", "line", "loc", "location", "machine", "match",
    "merchant", "minute", "month", "movie", "node", "number", "offset", "order", "page", "patient", "period", "plant",
    "player", "pos", "position", "postcode", "product", "quarter", "region", "replicate", "run", "school", "seed",
    "segment", "sensor", "sentence", "sequence", "series", "server", "session", "shop", "site", "sku", "song",
    "split", "state", "station", "step", "store", "student", "subject", "team", "timestamp", "track", "trial",
    "truck", "turn", "user", "vehicle", "video", "warehouse", "week", "weekday", "year", "zip", "zip_code", "zipcode",
    "zone",
})  # fmt: skip
"""Names of columns whose whole numbers say which thing, place or time a row is about, not how much."""
_LEARNERS = frozenset({
    "lgbm", "lgb", "lightgbm", "xgb", "xgboost", "catboost", "rf", "randomforest", "gbm", "gbdt", "glm", "gam", "svr",
    "svm", "knn", "ridge", "lasso", "elasticnet", "mlp", "lstm", "gru", "arima", "autoarima", "sarima", "sarimax",
    "autoets", "autotheta", "autoces", "prophet", "tft", "nhits", "nbeats", "deepar", "patchtst", "timesfm", "chronos",
    "timegpt", "moirai", "seasonalnaive", "holtwinters",
})  # fmt: skip
"""Models by which columns of their predictions are called."""
_METRICS = frozenset({
    "acc", "accuracy", "acc_norm", "acc_stderr", "acc_norm_stderr", "exact_match", "em", "f1", "correct", "is_correct",
    "bleu", "rouge", "rouge_l", "rouge1", "rouge2", "mse", "mae", "rmse", "mape", "brier", "squared_error",
    "abs_error", "absolute_error", "residual", "residuals", "perplexity", "ppl", "word_perplexity", "byte_perplexity",
    "bits_per_byte",
})  # fmt: skip
"""Names of how good a row is, or how far off."""
_FIGURES = (
    r"^((train|training|trn|val|valid|validation|test|dev|eval)_)?"
    r"((\w+_)?loss|(\w+_)?(acc|accuracy|auc|f1|precision|recall|error|iou)|mse|mae|rmse|ppl|perplexity)"
    r"$|^(lr|learning_rate|grad_norm)$"
)
"""Names of what a log of a training has of each step."""
_COMPONENTS = (
    r"^(trend|weekly|yearly|daily|monthly|holidays|additive_terms|multiplicative_terms|season|seasonal|seasonality)"
    r"(_(lower|upper|\d+))?$"
)
_LOGARITHMS = r"(^|_)log_?(p|probs?|probas?|probabilit(y|ies)|softmax|likelihoods?|liks?)(_|\d|$)|^ll(_|\d|$)|_ll$"
_SURPRISALS = r"(^|_)(nll|nlp|log_?loss|surprisals?|neg(ative)?_log_?(p|probs?|likelihoods?))(_|\d|$)"
_COUNTS = (
    r"^(n|num|number_of|count|total)_?(tokens?|toks?|words?|bytes|chars?|characters)$"
    r"|^(tokens?|toks?|words?|bytes?|chars?)_(count|len|length|num|n)$"
    r"|^(ntok|ntoks|ntokens|tokens|seq_?len|seq_?length|sequence_length|length|n_tok)$"
)
_SUMS = r"(^|_)(sum|summed|total|tot|cum|cumulative|joint)(_|$)"
_MEANS = r"(^|_)(mean|avg|average|per_?token|normali[sz]ed|norm)(_|$)"
_LEVELS = frozenset({"quantile", "quantiles", "quantile_level", "q", "tau", "percentile", "level"})
_PREDICTED = r"(^|_)(y?preds?|pred(icted)?_?(class|label)|predict(ed|ions?)|y?_?hat|top_?1|argmax)(_|$)"
_STEMS = LABELS[0] | LABELS[1] | PREDICTIONS[0] | PREDICTIONS[1] | {"one_hot", "onehot"}
_LEVEL = r"(?:^|[^a-z0-9])(?:q|p|quantile|percentile|pct|tau)[\W_]*(\d*\.\d+|\d{1,3})[\W_]*$"
_BARE = r"(?:^|[^a-z0-9.])(0?\.\d+)[\W_]*$"
_SHARE = r"(?:^|[^a-z0-9.])(\d{1,2}(?:\.\d+)?) ?%$"
_SIDE, _PERCENT = r"(?:lo|lower|lwr|(?P<up>hi|upper|upr))", r"\d\d(?:\.\d+)?"
_END = (
    rf"(?:^|[\W_])(?:(?:ci|pi)[\W_]*(?P<before>{_PERCENT})[\W_]*)?{_SIDE}"
    rf"(?(before)[\W_]*|(?:[\W_]|ci|pi)*(?P<behind>{_PERCENT})[\W_]*)$"
)
"""An end of an interval and how many percent this is meant to hold, the number behind it or before."""
HALF = 0.5
"""The level from which on one is sure to be one: numbers behind a letter seldom go so far."""
_INDEX = frozenset({"", "id", "index", "row", "row_id", "row_number", "rownumber", "key", "level_0", "index_level_0"})


_KEY = r"(^|_)(id|ids|idx|key|uid|uuid|guid)(_|$)"


@functools.lru_cache(maxsize=1 << 12)  # a table of many columns is asked about each many times
def plain_name(name: str) -> str:
    """A name in lower case, with one ``_`` between its words.

    >>> plain_name("Y Pred"), plain_name("yTrue"), plain_name("P(1)")
    ('y_pred', 'y_true', 'p_1')
    """
    return re.sub(r"[\W_]+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)).strip("_").casefold()


def stem_of(name: str) -> str:
    """The longest known name that a name begins with, before a number or another word; empty where there is none.

    >>> stem_of("softmax_3"), stem_of("y_pred_a"), stem_of("p12"), stem_of("price")
    ('softmax', 'y_pred', 'p', '')
    """
    name = plain_name(name)
    cuts = [cut for cut in range(1, len(name)) if name[cut] == "_" or (name[cut].isdigit() and name[cut - 1] != "_")]
    return next((name[:cut] for cut in reversed(cuts) if name[:cut] in _STEMS), "")


def without(name: str, endings: tuple[str, ...]) -> str:
    """A name in plain letters without the longest of some endings.

    >>> without("Price True", ENDINGS.label), without("price", ENDINGS.label)
    ('price', 'price')
    """
    plain = plain_name(name)
    return plain.removesuffix(max((ending for ending in endings if plain.endswith(ending)), key=len, default=""))


def level_of(name: str, *, alone: bool = False) -> float | None:
    """The level of the quantile that a column is named for; ``None`` where it is not.

    Args:
        name: of a column.
        alone: whether nothing else says that it is a quantile: then a single digit (``p_3``) and a number behind
            another word (``dropout_0.5``) are none.

    >>> [level_of(name) for name in ("q0.1", "p5", "y_q975", "pct_90", "0.5", "arima-lo-90", "hi90", "p2.5", "p_cat")]
    [0.1, 0.05, 0.975, 0.9, 0.5, 0.05, 0.95, 0.025, None]
    >>> level_of("90%"), level_of("pred_2.5%")
    (0.9, 0.025)
    >>> [level_of(name, alone=True) for name in ("P50", "NHITS-median", "p_3", "dropout_0.5")]
    [0.5, 0.5, None, None]
    """
    name = name.strip().casefold()
    end, bare, level, share = (re.search(pattern, name) for pattern in (_END, _BARE, _LEVEL, _SHARE))
    behind = alone and name[:1].isalnum()
    number: float | None = None
    if end is not None:  # of the interval that holds so many percent
        percent = float(end["before"] or end["behind"])
        number = (100.0 + (percent if end["up"] else -percent)) / 200.0
    elif level is not None and not (alone and len(level[1]) == 1):
        number = _level(level[1])
    elif share is not None and not (behind and share.start(1)):
        number = float(share[1]) / 100.0
    elif bare is not None and share is None and not (behind and bare.start(1)):
        number = float(bare[1])
    elif plain_name(name).split("_")[-1] == "median":
        number = 0.5
    return number if number is not None and 0 < number < 1 else None


def _level(digits: str) -> float:
    """A level by its digits: a part of 1, percent, or the decimals behind the point."""
    if "." in digits:
        return float(digits) / (100.0 if float(digits) >= 1.0 else 1.0)
    return float(digits) / (1000.0 if len(digits) == 3 and digits != "100" else 100.0)


def levels_among(names: Iterable[str]) -> dict[str, float]:
    """The columns that are named for quantiles, with their levels.

    A single digit is one beside a level from a half on, and a number behind another word where each level has its
    opposite.

    >>> levels_among(["y", "p5", "p50", "p95"]), levels_among(["p_1", "p_2", "p_3"])
    ({'p5': 0.05, 'p50': 0.5, 'p95': 0.95}, {})
    >>> levels_among(["y", "pred_0.1", "pred_0.5", "pred_0.9"]), levels_among(["dropout_0.1", "dropout_0.2"])
    ({'pred_0.1': 0.1, 'pred_0.5': 0.5, 'pred_0.9': 0.9}, {})
    >>> levels_among(["y", "forecast_10", "forecast_50", "forecast_90"]), levels_among(["pred_10", "pred_11"])
    ({'forecast_10': 0.1, 'forecast_50': 0.5, 'forecast_90': 0.9}, {})
    """
    names = list(names)
    if percents := _percents_among(names):
        return percents
    clear = any((level_of(name, alone=True) or 0.0) >= HALF for name in names) or _are_opposite(names)
    levels = {name: level_of(name, alone=not clear) for name in names}
    return {name: level for name, level in levels.items() if level is not None}


def _percents_among(names: Iterable[str]) -> dict[str, float]:
    """The columns of forecasts with two digits behind, as ``forecast_10`` and ``forecast_90``; each has its opposite.

    None where other columns are named for quantiles.
    """
    stems: dict[str, dict[str, float]] = {}
    for name in names:
        if level_of(name, alone=True) is not None:
            return {}
        told = re.fullmatch(r"(.*[a-z])_?(\d\d)", plain_name(name))
        if told and told[1] in PREDICTIONS[0] | PREDICTIONS[1]:
            stems.setdefault(told[1], {})[name] = int(told[2]) / 100
    families = [levels for levels in stems.values() if len(levels) > 1 and _mirrored([*levels.values()])]
    return families[0] if len(families) == 1 else {}


def _mirrored(levels: Iterable[float]) -> bool:
    """Whether levels lie about a half."""
    levels = sorted(levels)
    return all(low > 0 and abs(low + high - 1.0) < 1e-9 for low, high in zip(levels, levels[::-1], strict=True))


def _are_opposite(names: Iterable[str]) -> bool:
    """Whether the levels of columns lie about a half, that of 0.1 beside that of 0.9."""
    levels = sorted(level for level in map(level_of, names) if level is not None)
    return len(levels) > 1 and _mirrored(levels)


def is_index(name: str) -> bool:
    """Whether that is what the numbers of rows are called, such as the unnamed first column that pandas writes."""
    return plain_name(name) in _INDEX or re.fullmatch(r"unnamed_\d+", plain_name(name)) is not None


def is_query(name: str) -> bool:
    """Whether that is what the number of the list is called to which a row belongs."""
    return plain_name(name) in QUERIES


def is_unnamed(name: str) -> bool:
    """Whether that is what an index is called that has no name."""
    return is_index(name) and (not name.strip() or name.lower().startswith("unnamed"))


def is_numbering(name: str) -> bool:
    """Whether that is what pandas or R call numbers of rows that nobody asked for: a count, or where a row came from.

    >>> [is_numbering(name) for name in ("", "Unnamed: 0", "index", "__index_level_0__", "row.names", "id", "row_id")]
    [True, True, True, True, True, False, False]
    """
    return is_unnamed(name) or plain_name(name) in {"index", "level_0", "index_level_0", "row_names", "rownames"}


def is_mask(name: str) -> bool:
    """Whether that is what a column of 0 and 1 is called that says which rows count.

    >>> is_mask("loss_mask"), is_mask("isPad"), is_mask("attention mask"), is_mask("padlock")
    (True, True, True, False)
    """
    return bool(re.search(_MASKS, plain_name(name)))


def kept_by(name: str) -> tuple[int, ...]:
    """Which bits of a mask of that name may say that a row counts, likeliest first.

    >>> kept_by("attention_mask"), kept_by("is_pad"), kept_by("padding_mask")
    ((1,), (0,), (0, 1))
    """
    if not re.search(_PADDING, plain_name(name)):
        return (1,)
    return (0, 1) if "mask" in plain_name(name) else (0,)


def is_weight(name: str) -> bool:
    """Whether that is what the weight of a row is called.

    >>> is_weight("sampleWeight"), is_weight("w"), is_weight("exposure"), is_weight("width")
    (True, True, True, False)
    """
    return bool(re.search(_WEIGHTS, plain_name(name)))


def is_thing(name: str) -> bool:
    """Whether that is a name for numbers that say which thing, place or time a row is about, not how much.

    >>> is_thing("store"), is_thing("Store No"), is_thing("doc_pos"), is_thing("sales")
    (True, True, True, False)
    """
    plain = re.sub(r"_(no|nr|nbr|num|number|code)$", "", plain_name(name))
    return plain in _THINGS or plain.rpartition("_")[2] in _THINGS


def is_log_probability(name: str) -> bool:
    """Whether that is a name for the logarithm of a probability.

    >>> is_log_probability("token_logprob"), is_log_probability("log_p"), is_log_probability("neg_logprob")
    (True, True, False)
    """
    return bool(re.search(_LOGARITHMS, plain_name(name))) and not is_surprisal(name)


def is_log_rate(name: str) -> bool:
    """Whether that is a name for the logarithm of a rate."""
    return bool(re.search(r"(^|_)log_?rates?(_|\d|$)", plain_name(name)))


def is_surprisal(name: str) -> bool:
    """Whether that is a name for −log of a probability: the loss of a row, already made."""
    return bool(re.search(_SURPRISALS, plain_name(name)))


def is_count(name: str) -> bool:
    """Whether that is what the number of tokens, words or bytes of a row is called.

    >>> is_count("n_tokens"), is_count("tokenCount"), is_count("seq_len"), is_count("token")
    (True, True, True, False)
    """
    return bool(re.search(_COUNTS, plain_name(name)))


def is_sum(name: str) -> bool:
    """Whether that is a name for a sum.

    >>> is_sum("sum_logprob"), is_sum("logprob_total"), is_sum("summary")
    (True, True, False)
    """
    return bool(re.search(_SUMS, plain_name(name)))


def is_mean(name: str) -> bool:
    """Whether that is a name for a mean."""
    return bool(re.search(_MEANS, plain_name(name)))


def is_guess(name: str) -> bool:
    """Whether a name tells that its column is no label: a model, a quantile, a logarithm of a probability or a rate.

    >>> is_guess("q0.9"), is_guess("log_rate"), is_guess("logprob"), is_guess("pred_rate"), is_guess("rate")
    (True, True, True, True, False)
    """
    logarithm = is_log_probability(name) or is_surprisal(name) or is_log_rate(name)
    plain = f"{plain_name(name)}_"
    if any(f"{ending}_" in plain for ending in ENDINGS.prediction if ending != "_score"):
        return True  # such as price_pred_a
    return (
        logarithm
        or plain_name(name).startswith("model_")
        or normal(name) in _LEARNERS
        or level_of(name, alone=True) is not None
        or stem_of(name) in PREDICTIONS[0] | PREDICTIONS[1]
    )


def is_predicted_label(name: str) -> bool:
    """Whether a name ends as that of a label does, and says that this is predicted.

    >>> is_predicted_label("predictedLabel"), is_predicted_label("price_label"), is_predicted_label("pred_actual")
    (True, False, False)
    """
    return plain_name(name).endswith(("_label", "_target")) and is_predicted(name)


def is_decision(name: str) -> bool:
    """Whether a name tells that the words or classes in its column are predicted, such as the likeliest class.

    >>> is_decision(".pred_class"), is_decision("yhat"), is_decision("species_pred"), is_decision("top1")
    (True, True, True, True)
    >>> is_decision("predator"), is_decision("class"), is_decision("Species")
    (False, False, False)
    """
    return is_predicted(name) or is_guess(name) or plain_name(name) in PREDICTIONS[0] | PREDICTIONS[1]


def is_predicted(name: str) -> bool:
    """Whether a name says that its column is predicted, so that what is named after it is beside it, not of it.

    >>> is_predicted("pred"), is_predicted("y_pred"), is_predicted("score")
    (True, True, False)
    """
    return bool(re.search(_PREDICTED, plain_name(name)))


def tells_decision(name: str) -> bool:
    """Whether a name tells that a column holds decisions, or is the one under which classifiers write them.

    >>> tells_decision("predicted_label"), tells_decision("label"), tells_decision("churn")
    (True, True, False)
    """
    return is_decision(name) or plain_name(name) in {"label", "decision", "decisions", "decided"}


def is_level(name: str) -> bool:
    """Whether that is what a column is called that says the level of the quantile in its row."""
    return plain_name(name) in _LEVELS


def is_metric(name: str) -> bool:
    """Whether that is what is called how good a prediction is: none itself."""
    return plain_name(name) in _METRICS


def is_figure_of_training(name: str) -> bool:
    """Whether that is what a log of a training calls what it has of each step.

    >>> is_figure_of_training("val_loss"), is_figure_of_training("trainAccuracy"), is_figure_of_training("test_pred")
    (True, True, False)
    """
    return bool(re.match(_FIGURES, plain_name(name)))


def is_component(name: str) -> bool:
    """Whether that is a name for a part of a forecast, as Prophet writes it: no label.

    >>> is_component("trend"), is_component("weekly_upper"), is_component("weekly_sales")
    (True, True, False)
    """
    return bool(re.match(_COMPONENTS, plain_name(name)))


def is_key(name: str) -> bool:
    """Whether that is what a column is called that tells rows apart, in one file or in several.

    >>> is_key("Id"), is_key("PassengerId"), is_key("id_code"), is_key("class_id"), is_key("paid")
    (True, True, True, False, False)
    """
    plain = plain_name(name)
    known = any(plain in names for names in (*LABELS, *PREDICTIONS))
    return not is_unnamed(name) and not known and (is_index(name) or bool(re.search(_KEY, plain)))
