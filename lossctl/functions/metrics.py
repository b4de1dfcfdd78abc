"""What people look for among the losses that is not there, and the way on.

A figure of all rows at once, or of decisions; a loss of ours under a setting; a loss that is none of ours yet.
"""

from lossctl.errors import option
from lossctl.words import normal

_DECISIONS = "counts decisions at a threshold, not a loss of a row"
_MEASURE = f"Measure what decisions are made from: {option(loss='bce')}, or {option(loss='cross_entropy')}."
_RANK = "is a rank statistic, not a loss of a row"
_LISTS = "judges ranked lists, not a loss of a row"
_NOT_YET = "is not among lossctl's losses yet"

OUT_OF_REACH = {
    "the penalty λΦ(θ) of a regularised objective": "it is of the parameters of a model, which no prediction tells",
    "losses of an alignment of sequences (CTC, RNN-T)": "they need the scores of every step, and sum over all ways to "
    "align two sequences",
    "losses of censored times (Cox, AFT)": "they need who was still at risk, and times of which only a bound is known",
}
"""What no file of predictions determines, and why."""
_PENALTY, _ALIGNMENT, _CENSORED = (f"That is of {what}: {why}." for what, why in OUT_OF_REACH.items())

_METRICS = (
    (
        (
            "penalty", "regularization", "regularisation", "weight_decay", "l1_penalty", "l2_penalty",
            "l1_regularization", "l2_regularization", "elastic_net", "ridge", "lasso",
        ),
        "is out of reach of a file of predictions",
        f"{_PENALTY} Say {option(loss='mse')} for what it is added to.",
    ),
    (
        ("ctc", "ctc_loss", "rnnt", "rnnt_loss", "rnn_transducer", "transducer_loss"),
        "is out of reach of a file of predictions",
        _ALIGNMENT,
    ),
    (
        (
            "cox", "cox_loss", "coxph", "cox_ph", "cox_nloglik", "partial_likelihood", "aft", "aft_nloglik", "survival",
            "survival_aft", "survival_cox", "concordance", "c_index", "concordance_index",
        ),
        "is out of reach of a file of predictions",
        _CENSORED,
    ),
    (
        ("auc", "roc_auc", "roc_auc_score", "auroc", "gini", "average_precision", "pr_auc", "aucpr", "ks", "lift"),
        _RANK,
        f"lossctl doctor prints the area under the ROC curve, of one column of scores ({option('prediction')}).",
    ),
    (("spearman", "spearmanr", "kendall", "kendall_tau"), _RANK, "lossctl doctor prints the rank correlation."),
    (
        ("pearson", "pearsonr", "correlation"),
        "is a figure of all rows at once, not a loss of a row",
        f"lossctl doctor prints the rank correlation, Spearman's; {option(loss='mse')} is the nearest loss.",
    ),
    (
        ("r2", "r^2", "r²", "r2_score", "r_squared", "rsquared", "explained_variance", "nse", "adjusted_r2"),
        "is a ratio over all rows, not a loss of a row: the skill of mse",
        f"Say {option(loss='mse')} {option(skill=True)}.",
    ),
    (
        (
            "balanced_accuracy", "top_k_accuracy",
            "f1", "f1_score", "fbeta", "precision", "recall", "sensitivity", "specificity", "mcc",
            "matthews_corrcoef", "kappa", "cohen_kappa", "confusion", "confusion_matrix", "iou", "jaccard",
            "hamming", "hamming_loss", "precision_score", "recall_score", "jaccard_score", "youden",
            "tpr", "fpr", "tnr", "fnr", "ppv", "npv",
        ),
        _DECISIONS,
        _MEASURE,
    ),
    (
        ("accuracy", "acc", "accuracy_score", "binary_accuracy", "categorical_accuracy"),
        "is 1 less the share of rows that are decided wrongly",
        f"Say {option(loss='zero_one')}, or {option(loss='zero_one:threshold=0')} where scores are cut at 0.",
    ),
    (
        ("ece", "calibration", "calibration_error", "expected_calibration_error", "mce", "reliability"),
        "is a figure of bins of rows, not a loss of a row",
        "lossctl plot FILE draws the calibration.",
    ),
    (
        ("d2_absolute_error_score", "d2_absolute_error"),
        "is a ratio over all rows, not a loss of a row: the skill of mae",
        f"Say {option(loss='mae')} {option(skill=True)}.",
    ),
    (
        ("rmsse",),
        "is rmse over the root of the mean squared error of a naive forecast",
        f"Say {option(loss='rmse')}, and divide; {option(loss='mase:scale=2')} is that of absolute errors.",
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
    (
        (
            "gradient", "gradients", "grad", "grad_l2", "grad_l1", "grad_linf", "row_mean", "row_rms", "row_max",
            "top1_share",
        ),
        "is a figure of the gradient of a loss, beside its value",
        f"Add {option(gradient=True)}; lossctl help gradients says what the figures are.",
    ),
    (
        ("skill", "skill_score", "best_constant"),
        "is a loss against that of the best constant prediction",
        f"Add {option(skill=True)}; lossctl help skill says what it is.",
    ),
    (
        ("standard_error", "std_error", "confidence_interval"),
        "is a figure beside every loss",
        "lossctl help statistics says what it is.",
    ),
    (("map", "ndcg", "dcg", "mrr", "hit_rate", "precision_at_k", "recall_at_k"), _LISTS,
     "lossctl measures no rankings."),
    (
        ("max_error", "median_absolute_error", "medae", "mdae", "mdape", "median_absolute_percentage_error"),
        "is a quantile of the rows, not their mean",
        "lossctl samples FILE writes the loss of every row, lossctl plot FILE draws them.",
    ),
    (("bce_loss",), "is bce, of probabilities", f"Say {option(loss='bce')}."),
    (
        ("bce_with_logits", "bce_with_logits_loss", "binary_cross_entropy_with_logits", "sigmoid_binary_cross_entropy"),
        "is bce of what comes before the sigmoid",
        f"Say {option(loss='bce')} {option(from_logits=True)}.",
    ),
    (
        ("cross_entropy_loss", "softmax_cross_entropy", "softmax_cross_entropy_with_integer_labels"),
        "is cross_entropy of what comes before the softmax",
        f"Say {option(loss='cross_entropy')} {option(from_logits=True)}; of probabilities without the latter.",
    ),
    (
        ("sigmoid_focal_loss",),
        "is focal of what comes before the sigmoid",
        f"Say {option(loss='focal')} {option(from_logits=True)}; without α, {option(loss='focal:alpha=none')}.",
    ),
    (
        ("cosine_similarity",),
        "is cosine_proximity without its minus",
        f"Say {option(loss='cosine_proximity')}, and turn the sign.",
    ),
    (
        ("cosine_distance",),
        "is 1 more than cosine_proximity",
        f"Say {option(loss='cosine_proximity')}, and add 1.",
    ),
    (
        ("wis", "weighted_interval_score"),
        "of a median and intervals is twice the mean of their quantile losses",
        f"Say {option(loss='quantiles:tau=0.05/0.5/0.95')}, with a column and a level for each, and double the value.",
    ),
    (
        ("triplet", "triplet_loss", "contrastive", "contrastive_loss", "infonce"),
        "is a loss of several rows at once, not one of a row",
        "lossctl measures none of these.",
    ),
)  # fmt: skip

METRICS = {normal(name): (what, way) for names, what, way in _METRICS for name in names}
"""What each is, and what to do instead, by the normal form of its name."""
