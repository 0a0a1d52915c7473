# Sourced by ./demo and ./test: makes this folder ready to run, or says exactly what is missing.
# Debian packages by apt-get when root; everything from PyPI into ./.venv, by hash, from a lock
# file; the recognition networks beside their manifest. A second time it only looks.
#
#   prepare requirements.lock               what the controller needs
#   prepare requirements-simulators.lock    and what the demonstration and the simulation need
#   prepare requirements-dev.lock           and what the tests need

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$here"
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_ROOT_USER_ACTION=ignore

say() { printf '%s\n' "$*" >&2; }

missing_packages() {
    python3 -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv
    command -v mosquitto >/dev/null || [ -x /usr/sbin/mosquitto ] || echo mosquitto
    command -v openssl >/dev/null || echo openssl
    # opencv-python is linked against these; see docs/dependencies.md
    local libraries
    libraries=$(/sbin/ldconfig -p)
    grep -q 'libGL\.so\.1 ' <<<"$libraries" || echo libgl1
    grep -q 'libgthread-2\.0\.so\.0 ' <<<"$libraries" || echo libglib2.0-0
    [ "$1" != requirements-dev.lock ] || missing_for_tests
}

missing_for_tests() {
    command -v strace >/dev/null || echo strace # records what a power cut may take
    missing_rtsp_server
}

# The tests' RTSP cameras run under Debian's own Python; see simulators/rtsp_server.py
missing_rtsp_server() {
    /usr/bin/python3 -c '
import gi
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gst, GstRtspServer
Gst.init(None)
elements = ("appsrc", "videoconvert", "x264enc", "rtph264pay", "rtpbin")
raise SystemExit(not all(map(Gst.ElementFactory.find, elements)))' 2>/dev/null && return
    echo python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-base \
        gstreamer1.0-plugins-good gstreamer1.0-plugins-ugly gstreamer1.0-rtsp
}

prepare_system() {
    local packages
    packages=$(missing_packages "$1" | tr '\n' ' ')
    [ -z "$packages" ] && return
    if [ "$(id -u)" -ne 0 ]; then
        say "These Debian packages are needed; install them and call this again:"
        say "    sudo apt-get install -y --no-install-recommends $packages"
        exit 1
    fi
    say "installing $packages"
    apt-get update -qq
    # shellcheck disable=SC2086 # a list of words
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages >/dev/null
}

prepare_python() {
    local lock=$1 stamp=".venv/.from-$1" wanted
    wanted=$(cat "$lock" pyproject.toml simulators/pyproject.toml setup/prepare.sh | sha256sum; python3 --version)
    if [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && .venv/bin/python -c '' 2>/dev/null; then
        return
    fi
    say "setting up .venv from $lock (once; a few minutes on a small machine)"
    .venv/bin/python -c '' 2>/dev/null || { rm -rf .venv; python3 -m venv .venv; }
    .venv/bin/python -m pip install -q --no-deps --require-hashes -r "$lock"
    .venv/bin/python -m pip install -q --no-deps --no-build-isolation -e .
    [ "$lock" = requirements.lock ] ||
        .venv/bin/python -m pip install -q --no-deps --no-build-isolation -e simulators
    printf '%s\n' "$wanted" >"$stamp"
}

prepare_networks() {
    .venv/bin/python setup/unpack_networks.py --check && return
    say "fetching the recognition networks (once)"
    local download
    download=$(mktemp -d)
    .venv/bin/python -m pip download -q --no-deps --require-hashes -d "$download" -r setup/networks.lock
    .venv/bin/python setup/unpack_networks.py "$download"/*.whl
    rm -rf "$download"
}

prepare() {
    command -v python3 >/dev/null && python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
        if [ "$(id -u)" -eq 0 ] && ! command -v python3 >/dev/null; then
            apt-get update -qq
            DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3 python3-venv >/dev/null
        else
            say "Python 3.11 or newer is needed: sudo apt-get install -y python3 python3-venv"
            exit 1
        fi
    }
    prepare_system "$1"
    prepare_python "$1"
    prepare_networks
}
