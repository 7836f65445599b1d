"""R inside the worker process: start it, build R values, evaluate calls. The only module that imports rpy2."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, cast

import rpy2.rinterface
from rpy2.rinterface_lib import callbacks, embedded

from layerstats.rbridge.messages import RAnswer, RCall, RValue

# Most of what rpy2 returns has no static type.
rinterface: Any = rpy2.rinterface
# How R and its packages say that there is no more memory.
OUT_OF_MEMORY = re.compile(
    r"(cannot|could not) allocate|vector memory (exhausted|limit)|memory exhausted|bad_alloc|allocation still failed",
    re.IGNORECASE,
)
_KEPT_ATTRIBUTES = ("names", "dim", "levels", "class")
_LONG = 1000


def start_r(source: str) -> tuple[RAnswer, Callable[[RCall], RAnswer]]:
    """Start R, source the project's R code; return what to tell the parent, and the evaluator."""
    # No saved workspace and no .Rprofile: results must not depend on the folder one works in.
    embedded.set_initoptions(cast("Any", ("rpy2", "--quiet", "--no-save", "--no-restore", "--no-init-file")))
    rinterface.initr(interactive=False)
    callbacks.consolewrite_print = _log
    callbacks.consolewrite_warnerror = _log
    if not rinterface.baseenv["requireNamespace"]("mgcv", quietly=True)[0]:
        return RAnswer("missing", message="the R package mgcv is not installed"), evaluate
    _set_options()
    rinterface.baseenv["source"](source)
    return RAnswer("ready"), evaluate


def _set_options() -> None:
    """Give R's options that models depend on R's own values, whatever a site's or a package's start-up code set."""
    contrasts = rinterface.StrSexpVector(["contr.treatment", "contr.poly"])
    rinterface.baseenv["options"](
        contrasts=rinterface.baseenv["names<-"](contrasts, value=rinterface.StrSexpVector(["unordered", "ordered"])),
        OutDec=".",
        digits=rinterface.IntSexpVector([7]),
        scipen=rinterface.IntSexpVector([0]),
        warn=rinterface.IntSexpVector([0]),
        **{"na.action": "na.omit"},
    )


def evaluate(call: RCall) -> RAnswer:
    """Evaluate one call; what goes wrong in R is in the answer."""
    try:
        arguments = _named_list(list(call.arguments), [build(value) for value in call.arguments.values()])
        reply = _parts(rinterface.globalenv["layerstats_call"](call.function, arguments))
        warnings = tuple(reply["warnings"])
        if "error" in reply:
            message, where = reply["error"][0], reply["call"][0]
            status = "memory" if OUT_OF_MEMORY.search(message) else "error"
            return RAnswer(status, message=message, call=where, warnings=warnings)
        return RAnswer("value", value=take_apart(reply["value"]), warnings=warnings)
    except MemoryError as error:
        return RAnswer("memory", message=str(error) or "cannot allocate memory", call=call.function)
    except (embedded.RRuntimeError, TypeError) as error:
        status = "memory" if OUT_OF_MEMORY.search(str(error)) else "error"
        return RAnswer(status, message=str(error).strip(), call=call.function)


def build(value: RValue) -> Any:
    """Put an R value together."""
    if value.kind == "null":
        return rinterface.NULL
    vector = _build_vector(value)
    if not value.attributes:
        return vector
    attributes = _named_list(list(value.attributes), [build(part) for part in value.attributes.values()])
    return rinterface.baseenv["attributes<-"](vector, value=attributes)


def _build_vector(value: RValue) -> Any:
    payload = cast("Any", value.payload)
    if value.kind == "double":
        return rinterface.FloatSexpVector.from_memoryview(memoryview(payload).cast("d"))
    if value.kind == "integer":
        return rinterface.IntSexpVector.from_memoryview(memoryview(payload).cast("i"))
    if value.kind == "logical":
        return rinterface.BoolSexpVector.from_memoryview(memoryview(payload).cast("i"))
    if value.kind == "list":
        return rinterface.ListSexpVector([build(part) for part in payload])
    if value.kind == "pooled":
        codes, pool = payload
        positions = rinterface.IntSexpVector.from_memoryview(memoryview(codes).cast("i"))
        return rinterface.baseenv["["](rinterface.StrSexpVector(pool), positions)
    return rinterface.StrSexpVector([rinterface.NA_Character if text is None else text for text in payload])


def _named_list(names: list[str], values: list[Any]) -> Any:
    named = rinterface.ListSexpVector(values)
    return rinterface.baseenv["names<-"](named, value=rinterface.StrSexpVector(names)) if names else named


def take_apart(value: Any) -> RValue:
    """Take an R value apart.

    Raises
    ------
    TypeError
        If it is of a kind that cannot travel, such as a function.
    """
    types = rinterface.RTYPES
    kind = value.typeof
    if kind == types.NILSXP:
        return RValue("null", None, {})
    if kind == types.REALSXP:
        return RValue("double", memoryview(value.memoryview()).tobytes("A"), _attributes(value))
    if kind in (types.INTSXP, types.LGLSXP):
        name = "integer" if kind == types.INTSXP else "logical"
        return RValue(name, memoryview(value.memoryview()).tobytes("A"), _attributes(value))
    if kind == types.VECSXP:
        return RValue("list", [take_apart(part) for part in value], _attributes(value))
    if kind == types.STRSXP:
        return _take_strings_apart(value)
    raise TypeError(f"an R value of type {kind.name} cannot be returned to Python")


def _take_strings_apart(value: Any) -> RValue:
    if len(value) <= _LONG:
        return RValue("character", [_text(element) for element in value], _attributes(value))
    distinct = rinterface.baseenv["unique"](value)
    codes = rinterface.baseenv["match"](value, distinct)
    pool = [_text(element) for element in distinct]
    return RValue("pooled", (memoryview(codes.memoryview()).tobytes(), pool), _attributes(value))


def _text(element: Any) -> str | None:
    return None if element is rinterface.NA_Character else str(element)


def _attributes(value: Any) -> dict[str, RValue]:
    attributes = {}
    for name in _KEPT_ATTRIBUTES:
        attribute = rinterface.baseenv["attr"](value, name, exact=True)
        if attribute.typeof != rinterface.RTYPES.NILSXP:
            attributes[name] = take_apart(attribute)
    return attributes


def _parts(value: Any) -> dict[str, Any]:
    return dict(zip(value.names, value, strict=True))


def _log(text: str) -> None:
    print(text, end="", flush=True)
