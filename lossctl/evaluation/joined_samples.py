"""The keys of the worst rows, where labels were matched by key."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lossctl.arrow import in_arrow
from lossctl.evaluation.result import Sample
from lossctl.evaluation.results import Block, Results
from lossctl.reading.cells import text_of
from lossctl.reading.format import Source
from lossctl.reading.memory import MemorySource
from lossctl.reading.selection import Selected
from lossctl.records import entries


def with_keys(results: Results, source: Source, names: Sequence[str]) -> Results:
    """Results whose worst rows say by which words they were matched.

    Args:
        results: those of a pass over ``source``.
        source: the rows of a join.
        names: the columns of its key.
    """
    joined = source.inner if isinstance(source, Selected) else source
    if not isinstance(joined, MemorySource):
        return results
    keys = joined.table.select(list(names))

    def keyed(samples: Sequence[Sample]) -> tuple[Sample, ...]:
        rows = np.array([sample.row - 1 for sample in samples], dtype=np.int64)
        places = rows if joined.numbers is None else np.searchsorted(joined.numbers, rows)
        record = keys.take(in_arrow(places)).combine_chunks()
        words = [text_of(column.chunk(0), name).to_pylist() for name, column in zip(names, record.columns, strict=True)]
        cells = zip(*words, strict=True)
        return tuple(
            replace(sample, id=dict(zip(names, row, strict=True))) for sample, row in zip(samples, cells, strict=True)
        )

    def keyed_of(block: Block) -> Block:
        every = entries(block.columns["samples"], results.groups.n)
        return block.having(samples=[keyed(samples) if samples else samples for samples in every])

    return results.having([keyed_of(block) for block in results.blocks])
