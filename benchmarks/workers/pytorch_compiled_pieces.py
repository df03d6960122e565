"""PyTorch's losses through `torch.compile`."""

from benchmarks.peer import serve
from benchmarks.workers.pytorch_pieces import Pieces

if __name__ == "__main__":
    serve(Pieces(compiled=True))
