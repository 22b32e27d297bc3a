"""Parquet with a nested column of entities; fields of no known type get one that parts can agree on.

The type of a field is the least that holds its values: null, bool, int64, double, string, or JSON text. Any two of
these have a common one, so parts written apart can be joined. The kind stands in the metadata of the field.

Imported only where Parquet is read or written, because it imports pyarrow.
"""

import io
import json
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from ..context.attributes import VALUES
from ..errors import MedflatError
from ..linking.attributes import Code
from ..values.attributes import Value
from .items import Document, FoundEntity
from .parse import plain

try:
    import pyarrow as pa
    import pyarrow.parquet as pq
except ImportError as error:
    raise MedflatError("Parquet needs pyarrow: pip install 'spacy-medflat[parquet]'") from error

_KIND = b"medflat_kind"
_EXACT_IN_DOUBLE = 2**53
_INT64 = range(-(2**63), 2**63)
_ENTITY = [
    ("start", pa.int32()),
    ("end", pa.int32()),
    ("label", pa.string()),
    ("score", pa.float32()),
    ("text", pa.string()),
]
_CUE = [("start", pa.int32()), ("end", pa.int32()), ("text", pa.string()), ("value", pa.string())]
_PART = [("part", pa.string()), ("start", pa.int32()), ("end", pa.int32()), ("text", pa.string())]
_VALUE_TYPES = {"numbers": pa.list_(pa.float64()), "per_day": pa.float64(), "parts": pa.list_(pa.struct(_PART))}
_VALUE = [(name, _VALUE_TYPES.get(name, pa.string())) for name in Value._fields]
_CODE = [(name, pa.float64() if name == "score" else pa.string()) for name in Code._fields]
# Of pipelines that say it.
_SAID = {
    **dict.fromkeys(VALUES, pa.string()),
    "cues": pa.list_(pa.struct(_CUE)),
    "value": pa.struct(_VALUE),
    "codes": pa.list_(pa.struct(_CODE)),
}
# The types of the kinds; of any other, string.
_TYPES = {"null": pa.null(), "bool": pa.bool_(), "int": pa.int64(), "large_int": pa.int64(), "double": pa.float64()}


def open_parquet(file: BinaryIO | Path, name: str) -> Any:
    """Open a `pyarrow.parquet.ParquetFile`.

    file (binary file or Path): what to open.
    name (str): of the file, for the message.
    RAISES (MedflatError): the file is damaged or no Parquet.
    """
    try:
        return pq.ParquetFile(file)
    except pa.ArrowException as error:
        raise MedflatError(f"{name}: not Parquet, or damaged: {error}") from error


def common_schema(paths: Iterable[Path]) -> Any:
    """The one schema of files that are all read.

    RAISES (MedflatError): a field has types that do not go together.
    """
    schemas = []
    for path in paths:
        with open_parquet(path, str(path)) as file:
            schemas.append(file.schema_arrow)
    try:
        return pa.unify_schemas(schemas, promote_options="permissive")
    except pa.ArrowException as error:
        raise MedflatError(f"the Parquet files do not have the same fields: {error}") from error


def table_bytes(rows: Sequence[tuple[Document, list[FoundEntity]]], entities_field: str, schema: Any = None) -> bytes:
    """Documents as a Parquet file.

    rows (sequence of (Document, list of FoundEntity)): the documents with their entities.
    entities_field (str): the column of the entities.
    schema (pyarrow.Schema or None): of the documents' fields; found from their values by default.
    RAISES (MedflatError): a value does not fit its column.
    """
    records = [document.fields for document, _ in rows]
    if schema is None:
        names = list(dict.fromkeys(name for fields in records for name in fields))
        columns = {name: [plain(fields.get(name)) for fields in records] for name in names}
        kinds = {name: _kind_of_values(values) for name, values in columns.items()}
        schema = pa.schema([_field(name, kinds[name]) for name in names])
        columns = {name: _converted(values, kinds[name]) for name, values in columns.items()}
    else:
        columns = {name: [fields.get(name) for fields in records] for name in schema.names}
    found = [[entity.fields() for entity in entities] for _, entities in rows]
    entity_type = _entities_type({name for entities in found for fields in entities for name in fields})
    try:
        arrays = [pa.array(columns[field.name], type=field.type) for field in schema]
        arrays.append(pa.array(found, type=entity_type))
    except (pa.ArrowException, OverflowError, TypeError, ValueError) as error:
        raise MedflatError(f"a field does not fit its Parquet column: {error}") from error
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(arrays, schema=schema.append(pa.field(entities_field, entity_type))), buffer)
    return buffer.getvalue()


def unified_schema(paths: Iterable[Path]) -> Any:
    """The schema in which every field has the least type that holds its values in all parts."""
    merged: dict[str, Any] = {}
    metadata = None
    entities: Any = None
    said: set[str] = set()
    for path in paths:
        schema = pq.read_schema(path)
        *others, last = schema
        # Of parts in which something is said about entities, each says what an entity has.
        entities = last
        said |= {field.name for field in last.type.value_type}
        metadata = metadata or schema.metadata
        for field in others:
            known = merged.setdefault(field.name, field)
            if not known.equals(field, check_metadata=True):
                merged[field.name] = _field(field.name, _joint_kind({_kind(known), _kind(field)}))
    joint = [] if entities is None else [pa.field(entities.name, _entities_type(said), metadata=entities.metadata)]
    return pa.schema([*merged.values(), *joint], metadata=metadata)


def write_joined(paths: Sequence[Path], schema: Any, target: Path) -> None:
    """Write the parts into one file, each as a row group (or more) of its own.

    paths (sequence of Path): the parts.
    schema (pyarrow.Schema): see `unified_schema`.
    target (Path): the file.
    """
    with pq.ParquetWriter(target, schema) as writer:
        for path in paths:
            writer.write_table(_cast(pq.read_table(path, partitioning=None), schema))


def has_schema(path: Path, schema: Any) -> bool:
    """Whether a part has this schema already, metadata included."""
    return bool(pq.read_schema(path).equals(schema, check_metadata=True))


def _cast(table: Any, schema: Any) -> Any:
    columns = []
    for field in schema:
        if field.name not in table.column_names:
            columns.append(pa.nulls(len(table), field.type))
            continue
        have = table.schema.field(field.name)
        column = table.column(field.name)
        if _kind(field) == "json" and _kind(have) != "json":
            column = pa.array(_converted(column.to_pylist(), "json"), type=field.type)
        if column.type != field.type and pa.types.is_list(field.type):
            column = pa.array(column.to_pylist(), type=field.type)
        columns.append(column.cast(field.type))
    return pa.Table.from_arrays(columns, schema=schema)


def _entities_type(names: Collection[str]) -> Any:
    """The type of the column of entities that have these fields."""
    return pa.list_(pa.struct([*_ENTITY, *((name, kind) for name, kind in _SAID.items() if name in names)]))


def _field(name: str, kind: str) -> Any:
    return pa.field(name, _TYPES.get(kind, pa.string()), metadata={_KIND: kind})


def _kind(field: Any) -> str:
    return (field.metadata or {}).get(_KIND, b"").decode()


def _kind_of_values(values: Iterable[Any]) -> str:
    return _joint_kind({_kind_of_value(value) for value in values})


def _joint_kind(kinds: set[str]) -> str:
    kinds = kinds - {"null"}
    if len(kinds) < 2:
        return kinds.pop() if kinds else "null"
    if kinds == {"int", "double"}:
        return "double"
    return "large_int" if kinds == {"int", "large_int"} else "json"


def _kind_of_value(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return "null" if value is None else "bool"
    if isinstance(value, int):
        exact = -_EXACT_IN_DOUBLE <= value <= _EXACT_IN_DOUBLE
        return "int" if exact else "large_int" if value in _INT64 else "json"
    return {float: "double", str: "string"}.get(type(value), "json")


def _converted(values: list[Any], kind: str) -> list[Any]:
    if kind == "json":
        return [None if value is None else json.dumps(value, ensure_ascii=False) for value in values]
    return [float(value) if kind == "double" and value is not None else value for value in values]
