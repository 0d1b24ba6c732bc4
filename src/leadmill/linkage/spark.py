"""Files that outgrow a machine: read, compared and clustered on Spark, through Splink's own backend.

Called by :mod:`leadmill.linkage.service`. A sample of each file says what its columns hold and which values repeat, as
on this machine; Spark then reads the files itself, writes each value plainly by the same code, and Splink does the
rest. Neither library is a dependency: both are loaded here when they are asked for. What Spark says of a failure may
quote rows, so only the kind of the failure is told.
"""

import importlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from leadmill.core.faults import BadInput, Permanent
from leadmill.linkage.columns import Column
from leadmill.linkage.headings import ID
from leadmill.linkage.joining import Sources, sources_of
from leadmill.linkage.mapfile import ColumnMap
from leadmill.linkage.model import Field
from leadmill.linkage.plain import plain
from leadmill.linkage.sheets import answers_of, meant, read_sheet
from leadmill.linkage.splinking import load, plan, train
from leadmill.linkage.told import Progress, Understood, Written, write_clusters
from leadmill.runtime.rowfiles import Layout, Sheet, leaves_of, shape_of, text_of

SAMPLE = 50_000
"""Rows of each file that are looked at before Spark reads it whole."""
SPARK_THRESHOLD = 0.95
"""How likely two records must be one person's. Splink joins whatever hangs together by such pairs, one wrong pair joins
two whole clusters, so it must be surer than where clusters are weighed against each other."""
_LEAST = 0.001
"""Pairs less probable than this are not kept."""
_FILE = 1 << 40
"""Records of the second file are numbered from here."""

Cells = Mapping[str, str]


def spark_there() -> None:
    """Make sure that Spark and Splink can be had. Raises :class:`Permanent` ``linkage.spark.missing`` or
    ``linkage.splink.missing`` with what to install."""
    _pyspark("pyspark.sql")
    load("splink.backends.spark")


def _pyspark(part: str) -> Any:
    try:
        return importlib.import_module(part)
    except ImportError:
        says = "PySpark is not installed; install Leadmill with its extra: pip install 'leadmill[spark]'"
        raise Permanent("linkage.spark.missing", says) from None


def resolve_on_spark(
    paths: Sequence[Path], understood: Understood, said: ColumnMap, out: Path, threshold: float, progress: Progress
) -> Written:
    """Tell the records apart on Spark and write which belong together; ``understood`` are the files' beginnings.

    Raises :class:`BadInput` ``linkage.id.repeated``, :class:`Permanent` ``linkage.spark.missing``,
    ``linkage.spark.java`` where Spark does not start, and ``linkage.spark.failed``."""
    sheets = [(meant(sheet, taken, said.of_file(sheet.name)), taken) for sheet, taken in understood.sheets]
    fields, sources = sources_of(sheets)
    with tempfile.TemporaryDirectory(prefix="leadmill-spark-") as folder:
        progress("starting Spark", 0, None)
        spark = _session(folder)
        try:
            parts = [
                _records(spark, path, sheet, taken, said.of_file(sheet.name), fields, own, number, len(sheets) > 1)
                for number, (path, (sheet, taken), own) in enumerate(zip(paths, sheets, sources, strict=True))
            ]
            return write_clusters(out, _linked(spark, parts, sheets, fields, sources, threshold, progress))
        except (BadInput, OSError):
            raise
        except Exception as fault:
            says = f"Spark could not do it ({type(fault).__name__}); its own log tells more"
            raise Permanent("linkage.spark.failed", says) from None
        finally:
            spark.stop()


def _session(folder: str) -> Any:
    """A session on this machine, or on the cluster that ``spark-submit`` or ``SPARK_MASTER`` names."""
    sql = _pyspark("pyspark.sql")
    builder = sql.SparkSession.builder.appName("leadmill resolve")
    builder = builder.config("spark.jars", load("splink.backends.spark").similarity_jar_location())
    builder = builder.config("spark.ui.enabled", "false").config("spark.ui.showConsoleProgress", "false")
    master = os.environ.get("SPARK_MASTER", "")
    if not master and "PYSPARK_GATEWAY_PORT" not in os.environ:
        cores = os.cpu_count() or 1
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2 // 1024 // 1024
        master = f"local[{cores}]"
        # Spark would take the first Python on the path, which need not have this package.
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        builder = (
            builder.config("spark.sql.shuffle.partitions", str(2 * cores))
            .config("spark.default.parallelism", str(2 * cores))
            .config("spark.driver.memory", f"{memory}m")
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .config("spark.local.dir", folder)
            .config("spark.sql.warehouse.dir", folder)
        )
    if master:
        builder = builder.master(master)
    try:
        spark = builder.getOrCreate()
    except Exception as fault:
        says = f"Spark does not start ({type(fault).__name__}); it needs Java 17 or newer on the path or in JAVA_HOME"
        raise Permanent("linkage.spark.java", says) from None
    spark.sparkContext.setLogLevel("OFF")
    if spark.sparkContext.getCheckpointDir() is None:
        spark.sparkContext.setCheckpointDir(folder)
    return spark


def _records(
    spark: Any,
    path: Path,
    sheet: Sheet,
    taken: Sequence[Column],
    said: ColumnMap,
    fields: Sequence[Field],
    sources: Sources,
    number: int,
    several: bool,
) -> Any:
    """A file's records as Spark has them: number, name, and the plain value of each field."""
    rows = _rows(spark, path, sheet, said.layout)
    answers = {column.name: found for column in taken if (found := answers_of(column, said))}
    ident = next((column.name for column in taken if column.target == ID), None)
    needed = {column for source in sources if source for column in source.columns} | ({ident} if ident else set())
    prefix = f"{sheet.name}:" if several else ""

    def record(numbered: tuple[Cells, int]) -> tuple[Any, ...]:
        found, place = numbered
        cells = {name: found.get(name, "") for name in needed}
        for name, meanings in answers.items():
            if name in cells:
                cells[name] = meanings.get(cells[name], cells[name])
        values = (source.text_of(cells) if source else "" for source in sources)
        known = (plain(field, value) or None for field, value in zip(fields, values, strict=True))
        name = (cells[ident] if ident else "") or str(place + 1)
        return (number * _FILE + place, prefix + name, *known)

    return rows.zipWithIndex().map(record)


def _rows(spark: Any, path: Path, sheet: Sheet, layout: Layout) -> Any:
    """A file's rows, each as cells by column, read where Spark works."""
    shape = shape_of(path, layout)
    names = list(sheet.columns)
    place = str(path.absolute())
    if shape.kind == "xlsx":
        whole = read_sheet(path, sheet.name, layout, lambda rows: None)
        rows = list(zip(*(whole.columns[name] for name in names), strict=True))
        return spark.sparkContext.parallelize(rows).map(_by_place(names))
    if shape.kind == "parquet":
        return spark.read.parquet(place).rdd.map(_by_place(names))
    if shape.kind == "jsonl":
        return spark.read.json(place, primitivesAsString=True).rdd.map(_by_path)
    broken = any("\n" in value for values in sheet.columns.values() for value in values)
    reader = spark.read.option("header", True).option("sep", shape.delimiter).option("quote", '"').option("escape", '"')
    reader = reader.option("encoding", _ENCODINGS.get(shape.encoding, shape.encoding)).option("multiLine", broken)
    return reader.csv(place).rdd.map(_by_place(names))


_ENCODINGS = {"utf-8-sig": "UTF-8", "cp1252": "windows-1252", "latin-1": "ISO-8859-1"}


def _by_place(names: Sequence[str]) -> Callable[[Sequence[Any]], Cells]:
    return lambda row: {name: text_of(value) for name, value in zip(names, row, strict=False)}


def _by_path(row: Any) -> Cells:
    return {name: text_of(value) for name, value in leaves_of(row.asDict(recursive=True))}


def _linked(
    spark: Any,
    parts: Sequence[Any],
    sheets: Sequence[tuple[Sheet, Sequence[Column]]],
    fields: Sequence[Field],
    sources: Sequence[Sources],
    threshold: float,
    progress: Progress,
) -> Iterator[tuple[str, int, float]]:
    functions = _pyspark("pyspark.sql.functions")
    columns = [f"f{place}" for place in range(len(fields))]
    schema = ", ".join(["unique_id bigint", "record_id string", *(f"{column} string" for column in columns)])
    progress("reading", 0, None)
    table = spark.createDataFrame(spark.sparkContext.union(list(parts)), schema).persist()
    records = table.count()
    if table.select("record_id").distinct().count() != records:
        raise repeated(" and ".join(sheet.name for sheet, _ in sheets))
    progress("comparing", 0, records)
    api = load("splink.backends.spark").SparkAPI(spark_session=spark)
    linker = train(plan(fields, _sampled(sheets, fields, sources), records), api.register(table), quick=True)
    pairs = linker.inference.predict(threshold_match_probability=min(_LEAST, threshold))
    progress("clustering", 0, records)
    clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(pairs, threshold_match_probability=threshold)
    edges = pairs.as_spark_dataframe()
    ends = [edges.selectExpr(f"unique_id_{side} as unique_id", "match_probability") for side in "lr"]
    best = ends[0].union(ends[1]).groupBy("unique_id").agg(functions.max("match_probability").alias("best"))
    found = clusters.as_spark_dataframe().select("unique_id", "cluster_id")
    named = table.select("unique_id", "record_id").join(found, "unique_id").join(best, "unique_id", "left")
    for done, row in enumerate(named.orderBy("unique_id").toLocalIterator(), start=1):
        likeliest = row["best"] or 0.0
        yield row["record_id"], row["cluster_id"], likeliest if likeliest >= threshold else 1.0 - likeliest
        if done % 10_000 == 0:
            progress("writing", done, records)


def _sampled(
    sheets: Sequence[tuple[Sheet, Sequence[Column]]], fields: Sequence[Field], sources: Sequence[Sources]
) -> list[list[str]]:
    """The plain values of the sample by field, for judging how many pairs a rule would bring."""
    found: list[list[str]] = [[] for _ in fields]
    for (sheet, _), own in zip(sheets, sources, strict=True):
        for field, source, values in zip(fields, own, found, strict=True):
            if source is None:
                values += [""] * sheet.rows
            else:
                rows = zip(*(sheet.columns[column] for column in source.columns), strict=True)
                values += [plain(field, source.text_of(dict(zip(source.columns, row, strict=True)))) for row in rows]
    return found


def repeated(file: str) -> BadInput:
    """The fault of a file in which two records have one name."""
    says = f"the column of {file} that numbers the records has one number twice; choose another in the map"
    return BadInput("linkage.id.repeated", says)
