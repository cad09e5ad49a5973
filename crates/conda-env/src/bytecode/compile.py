# Compiles the Python sources named on standard input (NUL between names, paths relative to the
# current folder) and prints what became of each, NUL after each: "C" and the file written, or "S"
# and the source that does not compile.
#
# Runs on Python 2.7 and 3.4 or newer, started with -S -s -B, an empty environment and
# PYTHONHASHSEED=0. Arguments: the final prefix in hexadecimal, the epoch in seconds.
import sys

# With -c this is the current folder: a module in the environment's top folder is not meant.
sys.path[:] = [entry for entry in sys.path if entry not in ("", ".")]

import binascii
import marshal
import os
import struct

PY3 = sys.version_info[0] == 3
HASHED = sys.version_info >= (3, 7)
FRONT = binascii.unhexlify(sys.argv[1]) + b"/"
EPOCH = int(sys.argv[2])

if PY3:
    import _imp
    from importlib.util import MAGIC_NUMBER

    TAG = os.fsencode(sys.implementation.cache_tag)
    output = sys.stdout.buffer
    names = sys.stdin.buffer.read()
    TEXT = str
else:
    import imp

    MAGIC_NUMBER = imp.get_magic()
    output = sys.stdout
    names = sys.stdin.read()
    TEXT = unicode  # noqa: F821

CODE = type((lambda: 0).__code__)
# Their hashes are addresses before Python 3.12, and addresses are random.
ADDRESSED = () if sys.version_info >= (3, 12) else (type(None), type(Ellipsis))


def ordered(value):
    """Whether the order in which marshal writes a constant set is the same in every process."""
    if isinstance(value, frozenset):
        # From 3.11 on, marshal sorts what it writes.
        return sys.version_info >= (3, 11) or not any(addressed(item) for item in value)
    if isinstance(value, tuple):
        return all(ordered(item) for item in value)
    if isinstance(value, CODE):
        return all(ordered(item) for item in value.co_consts)
    return True


def addressed(value):
    if isinstance(value, (tuple, frozenset)):
        return any(addressed(item) for item in value)
    return isinstance(value, ADDRESSED)


def hold(value, held):
    """Takes a second reference to every object that something else may share.

    marshal marks an object for later reference when more than one reference to it exists, so the
    bytes would depend on what else this process knows: whether a name was interned by a module that
    happens to be imported, or by a file that was compiled before. With a reference of our own all
    such objects are marked, always.
    """
    held.append(value)
    if isinstance(value, CODE):
        for part in (
            value.co_consts, value.co_names, value.co_varnames, value.co_freevars,
            value.co_cellvars,
        ):
            hold_all(part, held)
        held.append(value.co_filename)
        held.append(value.co_name)
        held.append(getattr(value, "co_qualname", None))
    elif isinstance(value, (tuple, frozenset)):
        hold_all(value, held)
    elif isinstance(value, slice):
        hold_all((value.start, value.stop, value.step), held)


def hold_all(values, held):
    for value in values:
        hold(value, held)


def compile_source(source, name):
    shown = FRONT + name
    if PY3:
        shown = shown.decode("utf-8", "surrogateescape")
        return compile(source, shown, "exec", 0, True, 0)
    # What py_compile does there: one kind of line end, and one at the end of the file.
    source = source.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if source and not source.endswith(b"\n"):
        source += b"\n"
    return compile(source, shown, "exec", 0, True)


def header(source, name):
    if HASHED:
        # PEP 552: an unchecked hash. The interpreter neither looks at the time of the source nor
        # reads it.
        return MAGIC_NUMBER + struct.pack("<I", 1) + _imp.source_hash(
            RAW_MAGIC_NUMBER, source
        )
    os.utime(name, (EPOCH, EPOCH))
    stamp = struct.pack("<I", EPOCH & 0xFFFFFFFF)
    return MAGIC_NUMBER + stamp + (struct.pack("<I", len(source) & 0xFFFFFFFF) if PY3 else b"")


if HASHED:
    RAW_MAGIC_NUMBER = int.from_bytes(MAGIC_NUMBER, "little")


def target_of(name):
    if not PY3:
        return name + b"c"
    folder, base = os.path.split(name)
    folder = os.path.join(folder, b"__pycache__")
    if not os.path.isdir(folder):
        try:
            os.mkdir(folder)
        except OSError:
            # Another process of ours was faster.
            if not os.path.isdir(folder):
                raise
        os.chmod(folder, 0o755)
    return os.path.join(folder, base[: -len(b"py")] + TAG + b".pyc")


def write(path, data):
    temporary = path + b".parcelctl"
    with open(temporary, "wb") as file:
        file.write(data)
    os.chmod(temporary, 0o644)
    os.rename(temporary, path)


def main():
    for name in names.split(b"\0"):
        if not name:
            continue
        with open(name, "rb") as file:
            source = file.read()
        try:
            code = compile_source(source, name)
            fine = ordered(code)
        except (SyntaxError, ValueError, TypeError, OverflowError, MemoryError, RuntimeError):
            fine = False
        if not fine:
            output.write(b"S" + name + b"\0")
            continue
        held = []
        hold(code, held)
        data = header(source, name) + marshal.dumps(code)
        del held, code
        path = target_of(name)
        write(path, data)
        output.write(b"C" + path + b"\0")
    output.flush()


main()
