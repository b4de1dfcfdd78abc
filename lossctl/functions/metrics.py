"""What people look for among the losses that is none: a figure of all rows at once, or of decisions; and the way on."""

from lossctl.errors import option
from lossctl.words import normal

_DECISIONS = "counts decisions at a threshold, not a loss of a row"
_MEASURE = f"Measure what decisions are made from: {option(loss='bce')}, or {option(loss='cross_entropy')}."
_RANK = "is a rank statistic, not a loss of a row"
_LISTS = "judges ranked lists, not a loss of a row"

_METRICS = (
    (
        ("auc", "roc_auc", "roc_auc_score", "auroc", "gini", "average_precision", "pr_auc", "aucpr", "ks", "lift"),
        _RANK,
        "lossctl doctor prints the area under the ROC curve.",
    ),
    (("spearman", "spearmanr", "kendall", "kendall_tau", "pearson", "pearsonr", "correlation"), _RANK,
     "lossctl doctor prints the rank correlation."),
    (
        ("r2", "r^2", "r²", "r2_score", "r_squared", "rsquared", "explained_variance", "nse", "adjusted_r2"),
        "is a ratio over all rows, not a loss of a row: the skill of mse",
        f"Say {option(loss='mse')} {option(skill=True)}.",
    ),
    (
        (
            "accuracy", "acc", "balanced_accuracy", "top_k_accuracy", "error_rate", "zero_one", "zero_one_loss",
            "f1", "f1_score", "fbeta", "precision", "recall", "sensitivity", "specificity", "mcc",
            "matthews_corrcoef", "kappa", "cohen_kappa", "confusion", "confusion_matrix", "iou", "jaccard", "dice",
            "hamming", "hamming_loss", "accuracy_score", "precision_score", "recall_score", "jaccard_score", "youden",
            "tpr", "fpr", "tnr", "fnr", "ppv", "npv",
        ),
        _DECISIONS,
        _MEASURE,
    ),
    (
        ("ece", "calibration_error", "expected_calibration_error", "mce", "reliability"),
        "is a figure of bins of rows, not a loss of a row",
        "lossctl plot FILE draws the calibration.",
    ),
    (
        ("brier", "brier_score", "brier_score_loss"),
        "is the mean squared error of a probability",
        f"Say {option(loss='mse')}, with labels of 0 and 1, or a column a class.",
    ),
    (
        ("perplexity", "ppl"),
        "is the exponential of the mean cross-entropy",
        f"Say {option(loss='cross_entropy')} or {option(loss='nll')}, and take exp of the value.",
    ),
    (
        ("crps", "pinball", "pinball_loss", "quantile", "quantile_loss", "wis"),
        "judges quantiles, or all of a distribution, not one prediction",
        f"The median alone is measured by {option(loss='mae')}; lossctl doctor counts how many labels are below each.",
    ),
    (
        ("smape", "wape", "wmape", "mase", "nrmse"),
        "divides by a figure of other numbers than the label of its row",
        f"Measure the error itself: {option(loss='mae')}, or {option(loss='rmse')}.",
    ),
    (
        ("sse", "rss"),
        "is the sum of the squared errors",
        f"Say {option(loss='mse')} {option(reduction='sum')}.",
    ),
    (
        ("bias", "mbe", "mean_error", "mean_bias_error"),
        "is a mean of errors of either sign, which cancel",
        f"Say {option(loss='mae')}.",
    ),
    (
        ("bleu", "rouge", "wer", "cer", "psnr", "ssim", "fid"),
        "compares texts or pictures, not numbers of rows",
        "lossctl measures rows of numbers.",
    ),
    (("map", "ndcg", "dcg", "mrr", "hit_rate", "precision_at_k", "recall_at_k"), _LISTS,
     "lossctl measures no rankings."),
    (
        ("max_error", "median_absolute_error", "medae"),
        "is a quantile of the rows, not their mean",
        "lossctl samples FILE writes the loss of every row, lossctl plot FILE draws them.",
    ),
)  # fmt: skip

METRICS = {normal(name): (what, way) for names, what, way in _METRICS for name in names}
"""What each is, and what to do instead, by the normal form of its name."""
