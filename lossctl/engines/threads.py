"""Several shards at once on a pool of threads: Arrow and NumPy release the interpreter's lock where it matters."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from lossctl.engine import Item, Made, engines


class Threads:
    """A pool of threads that never runs ahead by more than two shards a worker."""

    name = "threads"

    def map(self, function: Callable[[Item], Made], items: Iterable[Item], workers: int) -> Iterator[Made]:
        """Results in the order of the items."""
        pool = ThreadPoolExecutor(workers, thread_name_prefix="lossctl")
        waiting: deque[Future[Made]] = deque()
        ahead, trouble = iter(items), None
        try:
            while trouble is None:
                try:
                    waiting.append(pool.submit(function, next(ahead)))
                except Exception as met:  # noqa: BLE001  (the end, or what the items raise: after the items before it)
                    trouble = met
                if waiting and (trouble is not None or len(waiting) > 2 * workers):
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
            if not isinstance(trouble, StopIteration):
                raise trouble
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


engines.add(Threads.name, Threads())
