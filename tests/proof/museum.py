"""The museum: silent no-ops, and the rule that must name each."""

from __future__ import annotations

from collections.abc import Callable

from noops import (
    adapter_dropout_not_wired,
    attention_dropout_at_inference,
    block_in_evaluation_mode,
    clip_after_the_step,
    clip_of_another_model,
    decay_of_biases_alone,
    decay_on_frozen_weights,
    decay_reset_by_a_scheduler,
    decay_rounded_away,
    drop_path_not_wired,
    dropout_on_a_model_without_any,
    evaluation_mode,
    evaluation_mode_from_the_first_validation_on,
    functional_dropout_at_inference,
    functional_dropout_off,
    head_replaced_after_the_optimizer,
    recurrent_dropout_of_one_layer,
    smoothing_expected_and_lost,
    smoothing_in_a_loss_that_is_not_used,
)
from noops_of_averages import (
    average_in_low_precision,
    average_never_updated,
    average_saved_and_never_updated,
    average_without_statistics,
    saved_and_not_scored,
    scored_and_not_saved,
    swapped_in_and_left_there,
    swapped_scored_and_trained_saved,
)

from temperance import proof

MUSEUM: dict[str, tuple[Callable[[], proof.Report], str]] = {
    one.__name__: (one, rule)
    for one, rule in (
        (evaluation_mode, "evaluation mode"),
        (evaluation_mode_from_the_first_validation_on, "evaluation mode"),
        (block_in_evaluation_mode, "block in evaluation mode"),
        (adapter_dropout_not_wired, "dropout not wired"),
        (functional_dropout_off, "functional dropout off"),
        (functional_dropout_at_inference, "noise at inference"),
        (attention_dropout_at_inference, "noise at inference"),
        (recurrent_dropout_of_one_layer, "recurrent dropout of one layer"),
        (drop_path_not_wired, "dropout not wired"),
        (dropout_on_a_model_without_any, "no dropout"),
        (head_replaced_after_the_optimizer, "orphans"),
        (decay_on_frozen_weights, "decay without gradients"),
        (decay_of_biases_alone, "decay of the wrong ones"),
        (decay_rounded_away, "decay rounded away"),
        (decay_reset_by_a_scheduler, "decay reset"),
        (smoothing_in_a_loss_that_is_not_used, "smoothing not heard of"),
        (smoothing_expected_and_lost, "no smoothing"),
        (clip_after_the_step, "clip too late"),
        (clip_of_another_model, "clip of others"),
        (average_never_updated, "average never updated"),
        (average_saved_and_never_updated, "average never updated"),
        (average_in_low_precision, "average stands still"),
        (average_without_statistics, "average without statistics"),
        (scored_and_not_saved, "scored and not saved"),
        (saved_and_not_scored, "saved and not scored"),
        (swapped_in_and_left_there, "trained on swapped weights"),
        (swapped_scored_and_trained_saved, "scored and not saved"),
    )
}
