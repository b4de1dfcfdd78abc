"""What people look for among the losses that is not there, and the way on.

A figure of all rows at once, or of decisions; a loss of ours under a setting; a loss that is none of ours yet.
"""

from lossctl.errors import option
from lossctl.words import normal

_DECISIONS = "counts decisions at a threshold, not a loss of a row"
_MEASURE = (
    f"Of decisions say {option(loss='zero_one')}; of what they are made from {option(loss='bce')}, "
    f"or {option(loss='cross_entropy')}."
)
_GRADES = (
    f"Of grades say {option(loss='mse')}, or {option(loss='mae')} where its weights are linear; of a probability for "
    f"each {option(loss='rps')}."
)
_RANK = "is a rank statistic, not a loss of a row"
_AREA = (
    "lossctl doctor prints the area under the ROC curve of a column of scores beside two classes, else the rank "
    f"correlation; of several labels name one: {option(label='COL')} {option(prediction='COL')}."
)
_INTERVALS = "lossctl doctor prints it, of columns that are named for quantiles or the ends of an interval;"
_LISTS = "judges ranked lists, not a loss of a row"
_NOT_YET = "is not among lossctl's losses yet"
_TOGETHER = "is a loss of several rows at once, not one of a row"
_NONE = "lossctl measures none of these."
_OBJECTIVE = "is what XGBoost calls an objective"
_ON_LOGITS = f"where the file has scores, with {option(from_logits=True)}."
_OF_LOGS = f"{option(from_logits=True)}, where the file has log ŷ; of ŷ itself without the latter."

OUT_OF_REACH = {
    "the penalty λΦ(θ) of a regularised objective": "it is of the parameters of a model, which no prediction tells",
    "losses of an alignment of sequences (CTC, RNN-T)": "they need the scores of every step, and sum over all ways to "
    "align two sequences",
    "losses of censored times (Cox, AFT)": "they need who was still at risk, and times of which only a bound is known",
}
"""What no file of predictions determines, and why."""
_PENALTY, _ALIGNMENT, _CENSORED = (f"That is of {what}: {why}." for what, why in OUT_OF_REACH.items())

_SCORERS = (
    ("mean_squared_error", "mse"),
    ("root_mean_squared_error", "rmse"),
    ("mean_absolute_error", "mae"),
    ("mean_squared_log_error", "msle"),
    ("root_mean_squared_log_error", "rmsle"),
    ("mean_absolute_percentage_error", "mape"),
    ("mean_poisson_deviance", "poisson_deviance"),
    ("mean_gamma_deviance", "gamma_deviance"),
    ("brier_score", "brier"),
    ("log_loss", "log_loss"),
)
"""Losses as scikit-learn's scorers name them, behind ``neg_``, and their names here."""

_METRICS = (
    *(((f"neg_{name}",), f"is {own} with a minus", f"Say {option(loss=own)}.") for name, own in _SCORERS),
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
        (
            "auc", "roc_auc", "roc_auc_score", "auroc", "roc_auc_ovr", "roc_auc_ovo", "gini", "average_precision",
            "pr_auc", "aucpr", "ks", "lift",
        ),
        _RANK,
        _AREA,
    ),
    (
        ("spearman", "spearmanr", "kendall", "kendall_tau"),
        _RANK,
        "lossctl doctor prints the rank correlation of two columns.",
    ),
    (
        ("pearson", "pearsonr", "correlation"),
        "is a figure of all rows at once, not a loss of a row",
        f"lossctl doctor prints the rank correlation, Spearman's; {option(loss='mse')} is the nearest loss.",
    ),
    (
        (
            "r2", "r^2", "r²", "r2_score", "r_squared", "rsquared", "explained_variance",
            "explained_variance_score", "nse", "adjusted_r2",
        ),
        "is a ratio over all rows, not a loss of a row: the skill of mse",
        f"Say {option(loss='mse')} {option(skill=True)}.",
    ),
    (
        (
            "balanced_accuracy",
            "f1", "f1_score", "fbeta", "precision", "recall", "sensitivity", "specificity", "mcc",
            "matthews_corrcoef", "kappa", "cohen_kappa", "confusion", "confusion_matrix", "iou", "jaccard",
            "precision_score", "recall_score", "jaccard_score", "youden", "fbeta_score", "balanced_error_rate",
            "balanced_accuracy_score", "critical_success_index", "csi", "total_f1", "f_score",
            "tpr", "fpr", "tnr", "fnr", "ppv", "npv", "cohen_kappa_score", "f1_macro", "f1_micro", "f1_weighted",
            "precision_macro", "recall_macro", "jaccard_index",
        ),
        _DECISIONS,
        _MEASURE,
    ),
    (
        (
            "quadratic_weighted_kappa", "qwk", "weighted_kappa", "quadratic_kappa", "cohen_kappa_quadratic",
            "linear_weighted_kappa",
        ),
        "weighs the errors of grades against chance over all rows, not a loss of a row",
        _GRADES,
    ),
    (
        ("accuracy", "acc", "accuracy_score", "binary_accuracy", "categorical_accuracy"),
        "is 1 less the share of rows that are decided wrongly",
        f"Say {option(loss='zero_one')}, or {option(loss='zero_one:threshold=0')} where scores are cut at 0.",
    ),
    (
        (
            "top5", "top_5", "top3", "top10", "topk", "top_k", "top_k_accuracy", "top_k_accuracy_score",
            "top5_accuracy", "top_5_accuracy", "top_k_categorical_accuracy", "sparse_top_k_categorical_accuracy",
            "top5_error", "top_5_error", "acc5", "acc_at_5", "accuracy_at_k",
        ),
        "is the share of rows whose label is among the k likeliest classes",
        (f"lossctl counts that for k = 1: {option(loss='zero_one')} is 1 less it. Of the probabilities that rank the "
        f"classes say {option(loss='cross_entropy')}."),
    ),
    (
        ("top1", "top_1", "top1_accuracy", "top_1_accuracy", "acc1", "acc_at_1"),
        "is 1 less the share of rows whose likeliest class is not the label",
        f"Say {option(loss='zero_one')}.",
    ),
    (("top1_error", "top_1_error"), "is zero_one", f"Say {option(loss='zero_one')}."),
    (
        ("ece", "calibration_error", "expected_calibration_error", "mce", "reliability"),
        "is a figure of bins of rows, not a loss of a row",
        "lossctl plot FILE draws the calibration.",
    ),
    (
        ("calibration", "calibration_ratio", "copc", "observed_expected", "oe_ratio"),
        "is a ratio of sums, Σŷ/Σy or Σy/Σŷ, or a figure of bins of rows, not a loss of a row",
        (f"lossctl plot FILE draws it in bins; {option(loss='brier')} and {option(loss='bce')} judge it together with "
        "how well classes are told apart."),
    ),
    (
        ("normalized_entropy", "normalised_entropy", "ne", "normalized_cross_entropy", "normalized_log_loss"),
        "is bce divided by that of the base rate, its best constant: 1 less the skill of bce",
        f"Say {option(loss='bce')} {option(skill=True)}, and take the skill from 1.",
    ),
    (
        ("mcrmse", "mean_columnwise_rmse", "mean_columnwise_root_mean_squared_error", "columnwise_rmse"),
        "is the mean of the rmse of each column, which is no root of one mean",
        (f"Say {option(loss='rmse')} of a column at a time, {option(label='COL')} {option(prediction='COL')}, and take "
        "the mean."),
    ),
    (
        ("rig", "relative_information_gain", "mcfadden", "mcfadden_r2"),
        "is the skill of bce",
        f"Say {option(loss='bce')} {option(skill=True)}.",
    ),
    (
        ("d2_absolute_error_score", "d2_absolute_error"),
        "is a ratio over all rows, not a loss of a row: the skill of mae",
        f"Say {option(loss='mae')} {option(skill=True)}.",
    ),
    (
        ("d2_log_loss_score",),
        "is the skill of bce, or of cross_entropy",
        f"Say {option(loss='bce')} {option(skill=True)}, or {option(loss='cross_entropy')} {option(skill=True)}.",
    ),
    (("d2_brier_score",), "is the skill of brier", f"Say {option(loss='brier')} {option(skill=True)}."),
    (
        ("d2_pinball_score",),
        "is the skill of quantile",
        f"Say {option(loss='quantile:tau=0.5')} {option(skill=True)}; tau is its alpha.",
    ),
    (
        ("d2_tweedie_score",),
        "is the skill of tweedie_deviance",
        f"Say {option(loss='tweedie_deviance:power=1.5')} {option(skill=True)}; at its power 0 that is mse's.",
    ),
    (
        ("rae", "relative_absolute_error"),
        "is mae over that of the mean label; the skill of mae is against the median",
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
        "is the mean of ŷ − y, in which errors of either sign cancel: not a loss",
        (f"lossctl samples FILE {option(loss='half_squared_error')} writes ŷ − y of each row, as its gradient; "
        f"{option(loss='mae')} is the mean without signs."),
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
        (
            "max_error", "median_absolute_error", "medae", "mdae", "mdape", "median_absolute_percentage_error",
            "smdape",
        ),
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
        (
            "cross_entropy_loss", "softmax_cross_entropy", "softmax_cross_entropy_with_integer_labels",
            "safe_softmax_cross_entropy", "multiclass_logistic_loss", "softmax_loss",
        ),
        "is cross_entropy of what comes before the softmax",
        f"Say {option(loss='cross_entropy')} {option(from_logits=True)}; of probabilities without the latter.",
    ),
    (
        ("log_score", "logarithmic_score", "ignorance", "ignorance_score"),
        "is minus the logarithm of the probability of what came true",
        f"Say {option(loss='bce')}, or {option(loss='cross_entropy')} of several classes.",
    ),
    (
        ("deviance", "binomial_deviance", "bernoulli_deviance"),
        "of two classes is twice bce, and bce itself at scikit-learn",
        f"Say {option(loss='bce')}; of counts there is {option(loss='poisson_deviance')}.",
    ),
    (
        ("label_smoothing",),
        "is a parameter of bce and of cross_entropy",
        f"Say {option(loss='cross_entropy:label_smoothing=0.1')}.",
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
        ("convex_kl_divergence",),
        "is generalized_kl, of log ŷ",
        f"Say {option(loss='generalized_kl')}, of ŷ itself.",
    ),
    (
        ("kl_divergence_with_log_targets",),
        "is kl_divergence of logarithms of the labels",
        f"Say {option(loss='kl_divergence')}, where labels are probabilities.",
    ),
    (
        ("iou_loss", "jaccard_loss", "soft_jaccard", "tanimoto", "tanimoto_loss", "jaccard_distance"),
        "is tversky where both kinds of errors count in full",
        f"Say {option(loss='tversky:alpha=1,beta=1')}.",
    ),
    (
        ("charbonnier", "charbonnier_loss"),
        "is pseudo_huber divided by delta, plus delta",
        f"Say {option(loss='pseudo_huber:delta=0.001')}; delta is its ε.",
    ),
    (
        ("dss", "dawid_sebastiani", "dawid_sebastiani_score"),
        "is twice gaussian_nll",
        f"Say {option(loss='gaussian_nll')}.",
    ),
    (
        ("friedman_mse",),
        "is how scikit-learn chooses the splits of a tree of mse",
        f"Say {option(loss='mse')}.",
    ),
    (
        (
            "coverage", "picp", "interval_coverage", "coverage_probability", "empirical_coverage", "coverage_rate",
            "regression_coverage_score", "coverage_score",
        ),
        "is the share of the labels that an interval holds, whatever its width",
        f"{_INTERVALS} {option(loss='interval')} weighs it against the width.",
    ),
    (
        (
            "width", "mean_width", "interval_width", "mpiw", "pinaw", "nmpiw", "sharpness", "average_width",
            "mean_interval_width", "regression_mean_width_score",
        ),
        "is the mean width of intervals, whatever they hold",
        f"{_INTERVALS} {option(loss='interval')} weighs it against what they hold.",
    ),
    (
        ("mis", "mean_interval_score"),
        "is the mean of interval scores",
        f"Say {option(loss='interval:alpha=0.1')} for intervals that are to hold 90 %.",
    ),
    (
        ("msis", "mean_scaled_interval_score"),
        "is the interval score over the mean absolute error of a naive forecast",
        f"Say {option(loss='interval:alpha=0.1')} for intervals that are to hold 90 %, and divide.",
    ),
    (
        ("wis", "weighted_interval_score"),
        "of a median and intervals is twice the mean of their quantile losses",
        f"Say {option(loss='quantiles:tau=0.05/0.5/0.95')}, with a column and a level for each, and double the value.",
    ),
    (
        (
            "triplet", "triplet_loss", "triplet_margin_loss", "contrastive", "contrastive_loss", "infonce", "ntxent",
            "ntxent_loss", "supcon", "circle", "circle_loss",
        ),
        _TOGETHER,
        _NONE,
    ),
    (
        (
            "listnet", "listnet_softmax", "ranking_softmax_loss", "ranknet", "lambdarank", "rank_xendcg", "pairlogit",
            "pairlogit_pairwise", "querysoftmax", "queryrmse", "querycrossentropy", "yetirank", "yetirank_pairwise",
            "stochasticrank", "rank:pairwise", "rank:ndcg", "rank:map", "group_quantile",
        ),
        _TOGETHER,
        f"lossctl measures no rankings; of two scores that a row compares there is {option(loss='margin_ranking')}.",
    ),
    (
        (
            "cosine_embedding_loss", "hinge_embedding", "hinge_embedding_loss", "sparsemax", "sparsemax_loss",
            "binary_sparsemax_loss", "multiclass_sparsemax_loss", "make_fenchel_young_loss", "loss_mixture_density",
            "mixture_density", "loss_capsule", "multiclass_generalized_dice_loss", "cross_entropy_lambda", "xentlambda",
            "welsch", "tukey", "tukey_biweight", "geman_mcclure", "barron", "wing_loss", "lovasz", "lovasz_softmax",
            "energy_score", "theil", "theil_u", "mrae",
        ),
        _NOT_YET,
        _NONE,
    ),
    (
        ("reg:squarederror", "reg:linear"),
        f"{_OBJECTIVE}; it is half of mse",
        f"Say {option(loss='mse')}, or {option(loss='half_squared_error')}.",
    ),
    (
        ("reg:squaredlogerror",),
        f"{_OBJECTIVE}; it is half of msle",
        f"Say {option(loss='msle')}, or {option(loss='rmsle')}.",
    ),
    (("reg:absoluteerror",), _OBJECTIVE, f"Say {option(loss='mae')}."),
    (("reg:pseudohubererror",), _OBJECTIVE, f"Say {option(loss='pseudo_huber:delta=1')}; delta is its huber_slope."),
    (("reg:quantileerror",), _OBJECTIVE, f"Say {option(loss='quantile:tau=0.5')}; tau is its quantile_alpha."),
    (("reg:expectileerror",), _OBJECTIVE, f"Say {option(loss='expectile:tau=0.5')}; tau is its expectile_alpha."),
    (("reg:gamma",), _OBJECTIVE, f"Say {option(loss='gamma_nll')}, or {option(loss='gamma_deviance')}."),
    (
        ("reg:tweedie",),
        _OBJECTIVE,
        f"Say {option(loss='tweedie_nll:power=1.5')}; power is its tweedie_variance_power.",
    ),
    (("count:poisson",), _OBJECTIVE, f"Say {option(loss='poisson')}, or {option(loss='poisson_deviance')}."),
    (
        ("binary:logistic", "binary:logitraw", "reg:logistic"),
        _OBJECTIVE,
        f"Say {option(loss='bce')}; {_ON_LOGITS}",
    ),
    (("binary:hinge",), _OBJECTIVE, f"Say {option(loss='hinge')}."),
    (("multi:softprob", "multi:softmax"), _OBJECTIVE, f"Say {option(loss='cross_entropy')}; {_ON_LOGITS}"),
    (("survival:cox", "survival:aft"), "is out of reach of a file of predictions", _CENSORED),
    (("interval_regression_accuracy",), "is out of reach of a file of predictions", _CENSORED),
    (("poisson_nloglik",), "is poisson with its constant", f"Say {option(loss='poisson:full=lgamma')}."),
    (
        ("l2_loss",),
        "is half the squared error at optax; l2 here is a sum over rows",
        f"Say {option(loss='half_squared_error')}.",
    ),
    (("HalfPoissonLoss",), "is poisson of log ŷ", f"Say {option(loss='poisson')} {_OF_LOGS}"),
    (("HalfGammaLoss",), "is gamma_nll of log ŷ", f"Say {option(loss='gamma_nll')} {_OF_LOGS}"),
    (
        ("HalfTweedieLoss",),
        "is tweedie_nll of log ŷ",
        f"Say {option(loss='tweedie_nll:power=1.5')} {_OF_LOGS}",
    ),
    (("HalfTweedieLossIdentity",), "is tweedie_nll", f"Say {option(loss='tweedie_nll:power=1.5')}."),
    (
        ("HalfBinomialLoss", "binary_logistic_loss"),
        "is bce of what comes before the sigmoid",
        f"Say {option(loss='bce')} {option(from_logits=True)}.",
    ),
    (
        ("HalfMultinomialLoss",),
        "is cross_entropy of what comes before the softmax",
        f"Say {option(loss='cross_entropy')} {option(from_logits=True)}.",
    ),
    (
        ("multilabel_soft_margin_loss", "multilabel_soft_margin"),
        "is bce of what comes before the sigmoid, of several label columns",
        f"Say {option(loss='bce')} {option(from_logits=True)}.",
    ),
    (
        ("MultiClassOneVsAll", "multiclassova", "softmaxova", "multiclass_ova", "ova", "ovr"),
        "is bce of each class against the others",
        f"Say {option(loss='bce')}, with a label column for each prediction column.",
    ),
    (
        ("LogLinQuantile",),
        "is quantile of e to the prediction",
        f"Say {option(loss='quantile')} {option(activation='exp')}.",
    ),
    (
        ("MultiRMSE",),
        "is rmse of several columns, with their sum under the root",
        f"Say {option(loss='rmse')} {option(columns='sum')}.",
    ),
    (
        ("MultiRMSEWithMissingValues",),
        "is rmse of several columns, without the labels that are not there",
        f"Say {option(loss='rmse')} {option(mask_null=True)}.",
    ),
    (
        ("RMSEWithUncertainty",),
        "is gaussian_nll of a mean and the logarithm of a standard deviation",
        f"Say {option(loss='gaussian_nll:scale=log_std,full=true')}.",
    ),
    (
        ("NumErrors",),
        "counts the rows whose error is larger than a tolerance",
        f"Say {option(loss='epsilon_insensitive:epsilon=0.1')} for the mean of what is beyond it.",
    ),
    (
        ("RMSPE", "root_mean_squared_percentage_error", "mspe"),
        "is a mean of squared relative errors",
        f"Say {option(loss='mape')}, or {option(loss='rmsle')}, which compares ratios.",
    ),
    (
        ("RSE", "relative_squared_error", "rrse", "root_relative_squared_error"),
        "is 1 less the skill of mse, or the root of that",
        f"Say {option(loss='mse')} {option(skill=True)}.",
    ),
    (
        ("LogLikelihoodOfPrediction",),
        "is a log-likelihood, which is minus a sum of losses",
        f"Say {option(loss='bce')} {option(reduction='sum')}, or {option(loss='cross_entropy')}.",
    ),
    (
        ("kullback_leibler",),
        "is bce less the entropy of the label at LightGBM",
        f"Say {option(loss='bce')} for one column, {option(loss='kl_divergence')} for rows.",
    ),
    (
        ("minkowski_distance",),
        "is a root of a sum; minkowski is that of the mean",
        f"Say {option(loss='minkowski:p=3')}, and multiply by the p-th root of the number of rows.",
    ),
    (
        ("multiclass_perceptron", "multiclass_perceptron_loss"),
        "is crammer_singer without a margin",
        f"Say {option(loss='crammer_singer:margin=0')}.",
    ),
    (
        ("dice_score", "dice_coefficient"),
        "is 1 less dice",
        f"Say {option(loss='dice')}.",
    ),
    (
        ("bits_per_byte", "bits_per_character", "bits_per_token", "bpb", "bpc"),
        "is surprisal in bits, by what each row is divided by",
        f"Say {option(loss='surprisal:base=2')} for bits a token, and multiply by tokens per byte.",
    ),
    (
        ("threshold_brier_score",),
        "is brier of a label that is beyond a threshold",
        f"Say {option(loss='brier')}, or {option(loss='rps')} of ordered classes.",
    ),
)  # fmt: skip

METRICS = {normal(name): (what, way) for names, what, way in _METRICS for name in names}
"""What each is, and what to do instead, by the normal form of its name."""
