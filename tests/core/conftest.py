"""One thread: on a shared machine two are slower than one."""

import torch

torch.set_num_threads(1)
