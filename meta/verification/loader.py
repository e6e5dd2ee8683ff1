"""Load files of a project, each in a process of its own, and write down the functions they then hold.

Its source is handed to Python as text inside the sandbox, so it imports nothing of this project. Input and output are
JSON. Nothing is compared here.
"""

import contextlib
import dis
import importlib
import importlib.util
import inspect
import json
import os
import signal
import sys
import types
from collections.abc import Iterator
from typing import Any

FUTURE_ANNOTATIONS = 0x1000000  # the flag tells how annotations are kept, which are compared by themselves
PLAIN = (int, float, complex, str, bytes, bool, type(None), type(...))


def main(request: dict[str, Any], answer: int) -> None:
    os.chdir(request["tree"])
    here = os.getcwd()
    sys.path[:] = [path for path in sys.path if path]
    for name in request["outside"]:  # loaded once instead of in each process
        with contextlib.suppress(BaseException):
            importlib.import_module(name)
    rows = [json.loads(asked(here, module, request)) for module in request["modules"]]
    write(answer, json.dumps(rows).encode())


def write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def asked(here: str, module: dict[str, str], request: dict[str, Any]) -> str:
    """What a child tells about one module, as JSON."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        signal.alarm(request["seconds"])
        try:
            told = loaded(here, module, request)
        except BaseException as error:  # whatever the project's code raises, exits included
            told = {"error": f"{type(error).__name__}: {error}".replace(here, ".")[:300]}
        with contextlib.suppress(BaseException):
            write(writing, json.dumps(told).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        text = pipe.read().decode()
    _, status = os.waitpid(child, 0)
    return text or json.dumps({"error": f"it ended its process ({status})"})


def loaded(here: str, module: dict[str, str], request: dict[str, Any]) -> dict[str, Any]:
    """The functions of one module and of the shared ones that it loaded, by file."""
    path = os.path.join(here, module["path"])
    sys.path.insert(0, os.path.join(here, module["root"]))
    sys.argv = [path]
    if request["first"]:
        exec(request["first"], {})
    if module["name"]:
        importlib.import_module(module["name"])
    else:
        spec = importlib.util.spec_from_file_location("loaded", path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules["loaded"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules["loaded"])
    wanted = {os.path.join(here, name): name for name in (module["path"], *request["shared"])}
    found: dict[str, Any] = {}
    for other in list(sys.modules.values()):
        name = wanted.get(os.path.realpath(getattr(other, "__file__", None) or ""))
        if name and isinstance(other, types.ModuleType):
            found[name] = dict(functions(vars(other), "", here))
    return {"files": found}


def functions(names: dict[str, Any], within: str, here: str) -> Iterator[tuple[str, Any]]:
    """The functions of a module or class, by qualified name, each as it is defined in the project."""
    for name, value in list(names.items()):
        if isinstance(value, type):
            if value.__qualname__ == within + name and of_project(value, here):
                yield from functions(dict(vars(value)), f"{within}{name}.", here)
            continue
        for suffix, kind, function in inner(value):
            if inspect.isfunction(function) and function.__code__.co_filename.startswith(here):
                yield within + name + suffix, described(function, kind, here)


def of_project(value: type, here: str) -> bool:
    file = getattr(sys.modules.get(value.__module__), "__file__", None) or ""
    return os.path.realpath(file).startswith(here)


def inner(value: Any) -> Iterator[tuple[str, str, Any]]:
    """The functions in something: itself, what a property or a compiler wraps."""
    kind = type(value).__name__
    if isinstance(value, property):
        for part in ("fget", "fset", "fdel"):
            yield f".{part}", kind, getattr(value, part)
    elif isinstance(value, (staticmethod, classmethod)):
        for _, inside, function in inner(value.__func__):
            yield "", f"{kind} {inside}", function
    else:
        function = value
        for attribute in ("py_func", "__wrapped__", "func"):
            with contextlib.suppress(Exception):
                function = (
                    inspect.getattr_static(function, attribute, None) and getattr(function, attribute)
                ) or function
        yield "", kind, function


def described(function: Any, kind: str, here: str) -> dict[str, Any]:
    code = function.__code__
    return {
        "kind": kind,
        "code": code_of(code),
        "defaults": [token(value, here) for value in function.__defaults__ or ()],
        "keywords": {name: token(value, here) for name, value in (function.__kwdefaults__ or {}).items()},
        "doc": function.__doc__,
        "annotations": annotations(function),
        "names": {
            name: token(function.__globals__[name], here) for name in taken(code) if name in function.__globals__
        },
        "order": names_of(code),
        "at": [os.path.relpath(code.co_filename, here), code.co_firstlineno],
    }


def annotations(function: Any) -> dict[str, str]:
    try:
        return {name: repr(value) for name, value in inspect.get_annotations(function, eval_str=True).items()}
    except Exception:  # a name in a text that means nothing when it is run
        return {name: str(value) for name, value in function.__annotations__.items()}


def code_of(code: types.CodeType) -> list[Any]:
    """All of a code object that is run; names are told apart in "order"."""
    constants = [code_of(one) if isinstance(one, types.CodeType) else constant(one) for one in code.co_consts]
    flags = code.co_flags & ~FUTURE_ANNOTATIONS
    counts = [code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_nlocals, flags]
    tables = code.co_exceptiontable.hex() if hasattr(code, "co_exceptiontable") else ""
    return [code.co_code.hex(), constants, code.co_varnames, code.co_freevars, code.co_cellvars, counts, tables]


def constant(value: Any) -> str:
    inside = sorted(map(constant, value)) if isinstance(value, frozenset) else repr(value)
    return f"{type(value).__name__} {inside}"


def names_of(code: types.CodeType) -> list[str]:
    found = list(code.co_names)
    for one in code.co_consts:
        if isinstance(one, types.CodeType):
            found += names_of(one)
    return found


def taken(code: types.CodeType) -> set[str]:
    """The names that are looked up in the module; the others are attributes."""
    found = {str(step.argval) for step in dis.get_instructions(code) if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    return found.union(*(taken(one) for one in code.co_consts if isinstance(one, types.CodeType)))


def token(value: Any, here: str) -> list[Any]:
    """What a name stands for, so that it can be compared between two processes."""
    for _, kind, function in inner(value):
        if inspect.isfunction(function):
            file = function.__code__.co_filename
            file = os.path.relpath(file, here) if file.startswith(here) else function.__module__
            return ["function", kind, file, function.__qualname__]
    if isinstance(value, types.ModuleType):
        return ["module", value.__name__]
    if isinstance(value, type):
        return ["class", value.__module__, value.__qualname__]
    if isinstance(value, PLAIN):
        return ["value", type(value).__name__, repr(value)]
    if isinstance(value, tuple):
        return ["tuple", [token(one, here) for one in value]]
    return ["object", type(value).__module__, type(value).__qualname__]


if __name__ == "__main__":
    result = os.dup(1)
    os.dup2(2, 1)  # what the project prints is no answer
    main(json.load(sys.stdin), result)
