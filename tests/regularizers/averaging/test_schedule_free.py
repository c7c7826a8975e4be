"""The sequences x, y, z of the published method, around SGD and AdamW."""

import pytest
import torch
from torch import nn

from temperance import Recipe, ScheduleFree, compile_recipe
from temperance.core.optimizers import SGD
from temperance.records.errors import SettingError

CURVES = torch.tensor([1.0, 0.3, 2.5], dtype=torch.float64)
START = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
# y and x after 1, 2, 10 and 50 steps of the authors' reference classes: facebookresearch/schedule_free at 70785b5,
# sgd_schedulefree_reference.py and adamw_schedulefree_reference.py, torch 2.13, float64, on the problem below.
SGD_PLAIN = {
    1: ([0.8199666833293656, -1.9230413654539713, 0.39776010333066975],
        [0.8199666833293656, -1.9230413654539713, 0.39776010333066975]),
    2: ([0.7516239745505922, -1.8782142020160266, 0.44365275509837027],
        [0.7578369480759352, -1.8822893986922034, 0.43948069584674114]),
    10: ([0.5933889119315765, -1.4032233787108677, 0.796555047259659],
         [0.5900789863232974, -1.4586376243444232, 0.8281989916575605]),
    50: ([-0.42989418795725465, -0.053353808213271604, 0.2752215894735458],
         [-0.11046714218393891, -0.15274970018293546, 0.11675903491469923]),
}  # fmt: skip
SGD_WARM = {
    2: ([0.953796884181573, -1.9768853905833734, 0.4965139920086441],
        [0.9541450296649232, -1.9770757454717933, 0.4964308070496864]),
    10: ([0.7721879478149437, -1.4762373995132603, 0.5837367033287215],
         [0.772373949994023, -1.4965439125155873, 0.6100993571702751]),
    50: ([-0.8438470741312905, -0.09725974593148021, -0.031415319360800574],
         [-0.6636434601282635, -0.1596757977061071, -0.23847800070024408]),
}  # fmt: skip
ADAMW_PLAIN = {
    1: ([0.9500000005554528, -1.9500000012993994, 0.45000000097809173],
        [0.9500000005554528, -1.9500000012993994, 0.45000000097809173]),
    10: ([0.8040244607166631, -1.6617255973801284, 0.662194690758868],
         [0.8105621399361378, -1.6896681958631137, 0.6601118602631953]),
    50: ([0.09063154809157273, -0.781447407635371, 0.03661388847629012],
         [0.2586102015769958, -0.8744088791562936, 0.05093181011463657]),
}  # fmt: skip
ADAMW_DECAY = {
    2: ([0.9188141314085175, -1.9077631395830001, 0.46480227225220655],
        [0.9200610775583715, -1.9092982282361621, 0.4639783545724868]),
    50: ([0.15312052328328432, -0.7025159446585243, 0.03273827782153417],
         [0.2335962805582028, -0.7510028264049524, 0.039069072083459104]),
}  # fmt: skip


class Bowl(nn.Module):
    """½ Σ h (w − c)², c moves with the steps."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(START.clone())

    def forward(self, c):
        return 0.5 * (CURVES * (self.w - c) ** 2).sum(1)


def place(t):
    return torch.tensor([[t * 0.1, t * 0.2 - 1, t * 0.3]], dtype=torch.float64).sin()


def sgd(params):
    return torch.optim.SGD(params, lr=0.2)


def adamw(params, decay=0.0, beta2=0.999):
    return torch.optim.AdamW(params, lr=0.05, betas=(0.0, beta2), weight_decay=decay)


@pytest.mark.parametrize(
    ("optimizer", "one", "warm", "expected"),
    [
        (sgd, ScheduleFree(0.9), 0, SGD_PLAIN),
        (sgd, ScheduleFree(0.9, power=1.0), 10, SGD_WARM),
        (adamw, ScheduleFree(0.9), 0, ADAMW_PLAIN),
        (lambda p: adamw(p, 0.1, 0.99), ScheduleFree(0.95), 0, ADAMW_DECAY),
    ],
)
def test_equals_the_reference_for_fifty_steps(optimizer, one, warm, expected):
    model = Bowl()
    own = optimizer(model.parameters())
    full = own.param_groups[0]["lr"]
    session = Recipe(one).attach(model, own, loss=lambda out, _: out)
    for t in range(1, 51):
        own.param_groups[0]["lr"] = full * min(1.0, t / warm) if warm else full
        session.step((place(t), torch.zeros(1)))
        if t in expected:
            y, x = expected[t]
            assert session.solo.home["w"].tolist() == pytest.approx(y, rel=1e-9, abs=1e-12)
            assert session.served["w"].tolist() == pytest.approx(x, rel=1e-9, abs=1e-12)


def test_the_pure_step_gives_the_same():
    step = compile_recipe(Recipe(ScheduleFree(0.9)), Bowl(), lambda out, _: out, SGD(0.2))
    state = step.begin()
    for t in range(1, 51):
        state, _ = step(state, (place(t), torch.zeros(1)))
    assert state.params["w"].tolist() == pytest.approx(SGD_PLAIN[50][0], rel=1e-9)
    assert step.served(state)["w"].tolist() == pytest.approx(SGD_PLAIN[50][1], rel=1e-9)


def test_two_steps_by_hand():
    # w = 0, gradient -1, rate 1, β = ½: z 1 → x 1 → y 1; then z 2 → x 1.5 → y ½·2 + ½·1.5 = 1.75
    model = nn.Linear(1, 1, bias=False)
    model.weight.data.fill_(0.0)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    session = Recipe(ScheduleFree(0.5)).attach(model, optimizer, loss=lambda out, y: -out.squeeze(1))
    for y, x in ((1.0, 1.0), (1.75, 1.5)):
        session.step((torch.ones(1, 1), torch.zeros(1)))
        assert (model.weight.item(), session.served["weight"].item()) == (y, x)
    assert session.finish().weight.item() == 1.5


def test_a_rate_of_zero_leaves_everything_where_it_is():
    model = Bowl()
    session = Recipe(ScheduleFree()).attach(model, torch.optim.SGD(model.parameters(), lr=0.0), loss=lambda out, _: out)
    session.step((place(1), torch.zeros(1)))
    assert session.served["w"].tolist() == START.tolist()
    assert model.w.tolist() == START.tolist()


def test_wrong_settings_are_refused():
    with pytest.raises(SettingError, match="momentum=1"):
        ScheduleFree(1.0)
    with pytest.raises(SettingError, match="power=-1"):
        ScheduleFree(power=-1.0)
