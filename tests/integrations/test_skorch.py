"""Recipes inside skorch: the plain loop's weights, served weights for scores and checkpoints, sklearn's clone."""

import pickle

import pytest

pytest.importorskip("skorch")

import numpy as np
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from skorch import NeuralNet, NeuralNetBinaryClassifier, NeuralNetClassifier, NeuralNetRegressor
from skorch.callbacks import Callback, Checkpoint, EpochScoring, GradientNormClipping, TrainEndCheckpoint
from skorch.dataset import Dataset, ValidSplit
from skorch.helper import predefined_split
from torch import nn

import temperance.regularizers  # noqa: F401  (registers the techniques)
from temperance import EMA, SAM, Dropout, GapFeedback, LabelSmoothing, MixUp, Recipe, WeightDecay
from temperance.control import EarlyStopping, Linear
from temperance.core.regularizer import techniques
from temperance.integrations.skorch import RecipeCallback
from temperance.records.errors import RecipeError, SettingError

torch.set_num_threads(1)
torch.manual_seed(0)
X = torch.randn(96, 6, dtype=torch.float64).numpy()
Y = (X[:, 0] > 0).astype("int64")
HELD = predefined_split(Dataset(X[:32], Y[:32]))
COCKTAIL = Recipe(Dropout(0.2), MixUp(0.3), LabelSmoothing(0.1), WeightDecay(0.1), EMA(0.9))
CLIMB = Recipe(SAM(0.1), Dropout(0.2), EMA(0.9))
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


class Net(nn.Module):
    def __init__(self, norm=False, softmax=False, outputs=2):
        super().__init__()
        torch.manual_seed(1)
        middle = [nn.BatchNorm1d(8)] if norm else []
        end = [nn.Softmax(1)] if softmax else []
        self.net = nn.Sequential(nn.Linear(6, 8), *middle, nn.ReLU(), nn.Linear(8, outputs), *end).double()

    def forward(self, x):
        return self.net(x)


def build(recipe, *callbacks, kind=NeuralNetClassifier, own=None, **settings):
    chosen = {"criterion": nn.CrossEntropyLoss, "lr": 0.1, "max_epochs": 3, "batch_size": 16, "train_split": None}
    mine = [] if recipe is None else [RecipeCallback(recipe, **(own or {}))]
    return kind(Net, callbacks=[*mine, *callbacks], verbose=0, **{**chosen, **settings})


def plain(recipe, loss=None, **net):
    model = Net(**net)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    session = recipe.attach(
        model, optimizer, loss=loss or nn.CrossEntropyLoss(), epochs=3, steps_per_epoch=6, select=None
    )
    batches = [(torch.tensor(X[i : i + 16]), torch.tensor(Y[i : i + 16])) for i in range(0, 96, 16)]
    for _ in range(3):
        for batch in batches:
            session.step(batch)
    return session.finish(batches)


def apart(one, other):
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return max(float((p.double() - q.double()).abs().max()) for p, q in pairs)


def session_of(net):
    return dict(net.callbacks_)["RecipeCallback"].session_


@pytest.mark.parametrize("recipe", [Recipe(), COCKTAIL, CLIMB], ids=["none", "cocktail", "sam"])
def test_three_epochs_give_the_plain_loops_weights(recipe):
    net = build(recipe).fit(X, Y)
    assert apart(net.module_, plain(recipe)) < 1e-12
    assert session_of(net).steps == 18


@pytest.mark.filterwarnings("ignore::temperance.core.readings.NeverBegan")
@pytest.mark.parametrize("name", [n for n in techniques if techniques[n].__module__.startswith("temperance.")])
def test_every_technique_acts_as_in_the_plain_loop_or_refuses_alike(name):
    def attempt(run):
        try:
            return run()
        except RecipeError as fault:
            return str(fault)

    recipe = Recipe(techniques[name]())
    alone, inside = attempt(lambda: plain(recipe)), attempt(lambda: build(recipe).fit(X, Y).module_)
    if isinstance(alone, str):
        assert alone == inside
    else:
        assert apart(alone, inside) < 1e-12


def test_an_empty_recipe_is_skorch_alone():
    assert apart(build(Recipe()).fit(X, Y).module_, build(None).fit(X, Y).module_) == 0.0


def test_probabilities_with_nll_loss_are_read_as_skorch_reads_them():
    net = build(Recipe(), criterion=nn.NLLLoss, module__softmax=True).fit(X, Y)
    alone = build(None, criterion=nn.NLLLoss, module__softmax=True).fit(X, Y)
    assert apart(net.module_, alone.module_) == 0.0
    smooth = build(COCKTAIL, criterion=nn.NLLLoss, module__softmax=True).fit(X, Y)
    assert apart(smooth.module_, plain(COCKTAIL)) < 1e-9


@pytest.mark.parametrize(
    ("kind", "criterion", "targets"),
    [
        (NeuralNetBinaryClassifier, nn.BCEWithLogitsLoss, Y.astype("float64")),
        (NeuralNetRegressor, nn.MSELoss, X[:, :1]),
    ],
    ids=["binary", "regressor"],
)
def test_other_nets_of_skorch(kind, criterion, targets):
    ours, alone = (
        build(recipe, kind=kind, criterion=criterion, module__outputs=1).fit(X, targets) for recipe in (Recipe(), None)
    )
    assert apart(ours.module_, alone.module_) == 0.0


def test_an_own_get_loss_is_respected():
    class Doubled(NeuralNetClassifier):
        def get_loss(self, y_pred, y_true, *args, **kwargs):
            return 2 * super().get_loss(y_pred, y_true, *args, **kwargs)

    ours, alone = build(Recipe(), kind=Doubled).fit(X, Y), build(None, kind=Doubled).fit(X, Y)
    assert apart(ours.module_, alone.module_) == 0.0


def test_gradient_clipping_of_skorch_acts_also_on_sam():
    clip = GradientNormClipping(1e-4)
    ours, alone = build(Recipe(), clip).fit(X, Y), build(None, clip).fit(X, Y)
    assert apart(ours.module_, alone.module_) == 0.0
    climbed = build(Recipe(SAM(0.1)), clip, lr=1.0).fit(X, Y)
    assert 0 < apart(climbed.module_, Net()) <= 18 * 1e-4


def test_what_is_scored_is_what_is_saved_and_training_goes_on(tmp_path):
    keep = Checkpoint(monitor=None, dirname=tmp_path, f_params="{last_epoch[epoch]}.pt", f_optimizer=None)
    score = EpochScoring("neg_log_loss", lower_is_better=False, use_caching=False)

    class Watching(Callback):
        def on_epoch_end(self, net, **kwargs):
            with torch.no_grad():
                rows = net.module_.eval()(torch.tensor(X[:32]))
            value = nn.functional.cross_entropy(rows, torch.tensor(Y[:32])).item()
            net.history.record("seen", value)

    net = build(Recipe(EMA(0.9)), Watching(), score, keep, train_split=HELD, predict_nonlinearity="auto").fit(X, Y)
    for row in net.history:
        assert row["valid_loss"] == pytest.approx(row["seen"], abs=1e-9)
        assert -row["neg_log_loss"] == pytest.approx(row["seen"], abs=1e-6)
        fresh = Net()
        fresh.load_state_dict(torch.load(tmp_path / f"{row['epoch']}.pt", weights_only=True))
        with torch.no_grad():
            loss = nn.functional.cross_entropy(fresh(torch.tensor(X[:32])), torch.tensor(Y[:32])).item()
        assert loss == pytest.approx(row["seen"], abs=1e-9)
    assert apart(net.module_, plain(Recipe(EMA(0.9)))) < 1e-9


@pytest.mark.parametrize("first", [True, False], ids=["callback first", "checkpoint first"])
def test_the_best_checkpoint_is_loaded_after_the_served_weights(tmp_path, first):
    best = Checkpoint(monitor="valid_loss_best", dirname=tmp_path, load_best=True, f_optimizer=None)
    ours = RecipeCallback(Recipe(EMA(0.9)))
    callbacks = [ours, best] if first else [best, ours]
    net = build(None, *callbacks, train_split=HELD, max_epochs=4, lr=3.0).fit(X, Y)
    losses = [row["valid_loss"] for row in net.history]
    with torch.no_grad():
        rows = net.module_.eval()(torch.tensor(X[:32]))
    assert nn.functional.cross_entropy(rows, torch.tensor(Y[:32])).item() == pytest.approx(min(losses), abs=1e-9)


def test_resuming_from_the_session_file_is_bit_for_bit(tmp_path):
    path = tmp_path / "session.pt"
    recipe = Recipe(Dropout(0.2), MixUp(0.3), EMA(0.9))
    whole = build(recipe).fit(X, Y)
    build(recipe, own={"f_session": path}, max_epochs=2).fit(X, Y)
    again = build(recipe, TrainEndCheckpoint(dirname=tmp_path), own={"f_session": path, "resume": True}, max_epochs=1)
    again.fit(X, Y)
    assert session_of(again).steps == 18
    assert apart(whole.module_, again.module_) == 0.0


def test_batch_norm_is_estimated_anew_for_averages():
    recipe = Recipe(EMA(0.9))
    net = build(recipe, module__norm=True).fit(X, Y)
    assert apart(net.module_, plain(recipe, norm=True)) < 1e-9


def test_fit_twice_partial_fit_and_after_an_error():
    class Failing(Callback):
        fail = True

        def on_epoch_end(self, net, **kwargs):
            if self.fail:
                raise ValueError("broken")

    failing = Failing()
    net = build(COCKTAIL, failing)
    with pytest.raises(ValueError, match="broken"):
        net.fit(X, Y)
    failing.fail = False
    net.fit(X, Y)
    assert apart(net.module_, plain(COCKTAIL)) < 1e-12
    net.fit(X, Y)
    assert apart(net.module_, plain(COCKTAIL)) < 1e-12
    net.partial_fit(X, Y)
    assert session_of(net).steps == 18
    assert type(net.module_.net[1]) is nn.ReLU
    assert "train_step" not in net.__dict__


def test_controllers_hear_and_strengths_are_in_the_history():
    recipe = Recipe(Dropout(0.2), controller=GapFeedback(-0.5, noise=0.0))
    net = build(recipe, train_split=HELD).fit(X, Y)
    assert len(session_of(net).trace) > 0
    assert all("signal/gap" in row for row in net.history)
    rising = build(Recipe(Dropout(0.4), controller=Linear(0.0, 1.0))).fit(X, Y)
    values = [row["strength/dropout.p"] for row in rising.history]
    assert values == sorted(values)
    assert values[0] < values[-1]


def test_a_controller_that_stops_ends_the_fit():
    net = build(Recipe(controller=EarlyStopping(patience=1)), train_split=HELD, max_epochs=50, lr=5.0).fit(X, Y)
    assert len(net.history) < 50
    assert session_of(net).stopped


def test_clone_search_and_pickles(tmp_path):
    net = build(COCKTAIL, own={"settings": {"nan": "skip"}}, train_split=ValidSplit(3))
    copy = clone(net)
    assert copy.callbacks[0].recipe == COCKTAIL
    assert copy.callbacks[0].settings == {"nan": "skip"}
    search = GridSearchCV(net, {"lr": [0.05, 0.1], "callbacks__RecipeCallback__seed": [0, 1]}, cv=2)
    assert search.fit(X, Y).best_score_ > 0.4
    read = pickle.loads(pickle.dumps(net.fit(X, Y)))
    assert np.array_equal(read.predict(X), net.predict(X))


def test_a_net_pickled_in_mid_training_predicts_what_was_scored(tmp_path):
    keep = Checkpoint(monitor=None, dirname=tmp_path, f_params=None, f_optimizer=None, f_criterion=None,
                      f_history=None, f_pickle="net.pkl")  # fmt: skip
    net = build(Recipe(Dropout(0.2), EMA(0.9)), keep, train_split=HELD).fit(X, Y)
    read = pickle.loads((tmp_path / "net.pkl").read_bytes())
    assert np.allclose(read.predict_proba(X), net.predict_proba(X), atol=1e-9)
    assert dict(read.callbacks_)["RecipeCallback"].session_ is None
    assert not any("Site" in type(m).__name__ for m in read.module_.modules())
    with pytest.raises(RecipeError, match="the optimizer holds none"):  # it holds the weights of the net that went on
        read.partial_fit(X, Y)
    assert read.initialize().partial_fit(X, Y).module_ is not net.module_


def test_what_cannot_act_is_refused_by_name():
    class Own(NeuralNet):
        def train_step_single(self, batch, **fit_params):
            return super().train_step_single(batch, **fit_params)

    with pytest.raises(RecipeError, match="Own has a train_step_single"):
        build(COCKTAIL, kind=Own).fit(X, Y)
    with pytest.raises(SettingError, match="recipe=MixUp"):
        build(MixUp(0.2)).fit(X, Y)
    with pytest.raises(SettingError, match="epochs"):
        build(COCKTAIL, own={"settings": {"epochs": 3}}).fit(X, Y)
    with pytest.raises(RecipeError, match="fit got scale"):
        build(Recipe()).fit(X, Y, scale=2)
