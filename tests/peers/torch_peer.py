"""What the peers made of torch have in common: threads, versions, and which kernels ran. A peer that would fall back to
something slower without a word ends here with an error."""

import platform

import torch
import torch._dynamo
from torch._dynamo.utils import counters

# The operators among which scaled_dot_product_attention chooses, those of a matrix product, and what tells that attention
# was computed step by step.
ATTENTION = "aten::_scaled_dot_product_"
PRODUCTS = {"aten::mm", "aten::addmm", "aten::mkldnn_linear"}
STEPS = {"aten::_softmax", "aten::_safe_softmax"}


def prepare(threads):
    torch.set_num_threads(int(threads))
    torch.manual_seed(1)
    # More shapes than torch.compile has room for would run uncompiled.
    torch._dynamo.config.recompile_limit = 1000
    torch._dynamo.config.accumulated_recompile_limit = 1000
    torch._dynamo.config.suppress_errors = False


def synchronize(device):
    if device == "cuda":
        torch.cuda.synchronize()


def versions():
    return f"torch {torch.__version__}"


def hello(device):
    """Returns what a peer tells of its device."""
    if device == "cuda":
        precision = torch.get_float32_matmul_precision()
        return {"device": torch.cuda.get_device_name(), "backend": f"CUDA {torch.version.cuda}, f32 products in {precision} precision"}
    return {"device": f"CPU ({platform.machine()})", "backend": f"{torch.get_num_threads()} threads, {torch.backends.cpu.get_cpu_capability()}"}


def kernels(call, compiled=False):
    """Calls call twice and returns what computed attention, or else a product, the second time: torch's operators, and
    what torch.compile made. It fails where there is nothing of torch.compile and should be."""
    before, broken = counters["stats"]["unique_graphs"], sum(counters["graph_break"].values())
    call()
    graphs, breaks = counters["stats"]["unique_graphs"] - before, sum(counters["graph_break"].values()) - broken
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        call()
    seen = {event.key for event in profile.key_averages()}
    attention = sorted(name.removeprefix(ATTENTION) for name in seen if name.startswith(ATTENTION))
    if compiled and seen & STEPS:
        raise RuntimeError("softmax ran by itself: this is not compiled attention")
    names = attention or ["softmax"] * bool(seen & STEPS) or ([] if compiled else sorted(seen & PRODUCTS))
    if compiled:
        if not before + graphs:
            raise RuntimeError("torch.compile compiled nothing")
        made = f"compiled in {graphs} graph{'s' * (graphs != 1)}" if graphs else "compiled before"
        names.append(made + (f" with {breaks} breaks" if breaks else ""))
    return ", ".join(names)
