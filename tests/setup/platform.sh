# shellcheck shell=bash
# Sourced by the set-up scripts: which system this is, what is missing on it, and how to get that.
# What a platform cannot install for itself is printed as the command to type, and the script stops with
# status 1. Runs under bash 3.2 (macOS) too.
#
#   GAZE_TOOLS       where private tools live, outside the checkout (default ~/.cache/gaze-tools)
#   GAZE_OS_RELEASE  another os-release file, and GAZE_UNAME another system name: to try the messages out

[[ -n ${GAZE_TOOLS:-} || -n ${HOME:-} ]] || { echo "set-up: set GAZE_TOOLS (or HOME): a folder for private tools" >&2; exit 1; }
export GAZE_TOOLS=${GAZE_TOOLS:-$HOME/.cache/gaze-tools}
mkdir -p "$GAZE_TOOLS/bin"
GAZE_TOOLS=$(cd "$GAZE_TOOLS" && pwd -P)
setup_folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
setup_log=$GAZE_TOOLS/setup.log
probe=$GAZE_TOOLS/bin/probe

say() { echo "set-up: $*" >&2; }
# loud: what a test run has to go without; make test repeats it at its end.
loud() { printf '\n!!! %s\n\n' "$*" >&2; echo "!!! $*" >>"$GAZE_TOOLS/warnings"; }
fail() { printf 'set-up: %s\n' "$@" >&2; exit 1; }

# logged COMMAND...: run it with its output in the log; if it fails, show the log's tail.
logged() {
  local from
  printf '\n$ %s\n' "$*" >>"$setup_log"
  from=$(($(wc -l <"$setup_log") + 1))
  "$@" >>"$setup_log" 2>&1 </dev/null && return
  tail -n "+$from" "$setup_log" | tail -n 15 | sed 's/^/    /' >&2
  say "that failed ($1); all of it is in $setup_log"
  return 1
}

# platform: debian, ubuntu, fedora, arch, macos, windows or other; a derivative counts as what it is like.
platform() {
  case ${GAZE_UNAME:-$(uname -s)} in
    Darwin) echo macos; return ;;
    MINGW* | MSYS* | CYGWIN*) echo windows; return ;;
  esac
  local id
  # shellcheck disable=SC1090
  for id in $(. "${GAZE_OS_RELEASE:-/etc/os-release}" 2>/dev/null && echo "${ID:-} ${ID_LIKE:-}"); do
    case $id in debian | ubuntu | fedora | arch) echo "$id"; return ;; esac
  done
  echo other
}

# packages PLATFORM NEED...: the packages that bring these needs, in one line.
packages() {
  local system=$1 need list=""
  for need in "${@:2}"; do
    case $system:$need in
      debian:compiler | ubuntu:compiler) list+=" gcc libc6-dev" ;;
      fedora:compiler | arch:compiler) list+=" gcc" ;;
      debian:certificates | ubuntu:certificates) list+=" ca-certificates" ;;
      debian:loader | ubuntu:loader) list+=" libvulkan1" ;;
      fedora:loader | macos:loader) list+=" vulkan-loader" ;;
      arch:loader) list+=" vulkan-icd-loader" ;;
      debian:driver | ubuntu:driver | fedora:driver) list+=" mesa-vulkan-drivers" ;;
      arch:driver) list+=" vulkan-swrast" ;;
      macos:driver) list+=" molten-vk" ;;
      debian:validation | ubuntu:validation) list+=" vulkan-validationlayers" ;;
      fedora:validation | arch:validation) list+=" vulkan-validation-layers" ;;
      debian:xvfb | ubuntu:xvfb) list+=" xvfb" ;;
      fedora:xvfb) list+=" xorg-x11-server-Xvfb" ;;
      arch:xvfb) list+=" xorg-server-xvfb" ;;
      debian:xclients | ubuntu:xclients) list+=" xdotool x11-utils x11-xkb-utils" ;;
      fedora:xclients) list+=" xdotool xprop setxkbmap" ;;
      arch:xclients) list+=" xdotool xorg-xprop xorg-setxkbmap" ;;
      # What GLFW is compiled against.
      debian:glfw | ubuntu:glfw) list+=" libgl-dev libx11-dev libxcursor-dev libxi-dev libxinerama-dev libxrandr-dev libxxf86vm-dev" ;;
      fedora:glfw) list+=" mesa-libGL-devel libX11-devel libXcursor-devel libXi-devel libXinerama-devel libXrandr-devel libXxf86vm-devel" ;;
      arch:glfw) list+=" libglvnd libx11 libxcursor libxi libxinerama libxrandr libxxf86vm" ;;
      debian:keyring | ubuntu:keyring) list+=" debian-archive-keyring" ;;
    esac
  done
  echo "${list# }"
}

# obtain ALL MISSING: install what brings the missing needs, or say how and stop. Both are lists of needs split
# by spaces; where make installs nothing itself, the command printed brings all of them at once.
obtain() {
  local system packages all root="" by_hand
  system=$(platform)
  # shellcheck disable=SC2086 # lists of needs
  all=$(packages "$system" $1) packages=$(packages "$system" $2)
  by_hand="    sudo apt-get update && sudo apt-get install --yes --no-install-recommends $packages"
  case $system in
    debian | ubuntu) ;;
    fedora) fail "missing: $2" "install this, then run make again:" "    sudo dnf install $all" ;;
    arch) fail "missing: $2" "install this, then run make again:" "    sudo pacman -S --needed $all" ;;
    macos) fail "missing: $2" "install this, then run make again:" \
      "    xcode-select --install          (the C compiler)" \
      "    brew install $all" ;;
    *) fail "missing: $2" "this system's package names are not known here; what brings these, by its own means:" \
      "    compiler: gcc and the C library's headers    loader: libvulkan.so.1" \
      "    driver: any Vulkan driver (Mesa's lavapipe needs no graphics card; make test asks for lavapipe itself)" \
      "    validation: the Khronos validation layer     xvfb: Xvfb    xclients: xdotool, xprop and setxkbmap" \
      "    glfw: the headers of libGL, X11, Xcursor, Xi, Xinerama, Xrandr and Xxf86vm" ;;
  esac

  command -v apt-get >/dev/null || fail "missing: $2" "apt-get is not in PATH; where it is, run this, then make again:" "$by_hand"
  if [[ $(id -u) != 0 ]]; then
    { command -v sudo && { sudo -n true || [[ -t 0 ]]; }; } >/dev/null 2>&1 ||
      fail "missing: $2" "installing needs root; run this, then make again:" "$by_hand"
    root=sudo
  fi
  # An update that fails for one source of several is no reason to stop: the install tells.
  logged $root apt-get update || true
  # shellcheck disable=SC2086 # a list of packages
  {
    say "installing $packages ($(download_size install $packages))"
    logged $root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
      -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 $packages || fail "apt-get could not install it; by hand:" "$by_hand"
  }
}

# download_size VERB PACKAGE...: what "${apt[@]}" VERB would fetch, as "12 packages to fetch, 34.5 MB".
apt=(apt-get)
download_size() {
  "${apt[@]}" "$1" --print-uris -qq --no-install-recommends "${@:2}" 2>/dev/null |
    awk '{n++; bytes += $3} END {printf "%d package%s to fetch, %.1f MB", n, n == 1 ? "" : "s", bytes / 1e6}'
}

# require_go: Go new enough for go.mod. Debian 12 and older Ubuntu package older ones.
require_go() {
  local minor get="from https://go.dev/dl"
  case $(platform) in
    fedora) get="with: sudo dnf install golang" ;;
    arch) get="with: sudo pacman -S go" ;;
    macos) get="with: brew install go" ;;
  esac
  command -v go >/dev/null || fail "Go is not in PATH: install Go 1.24 or newer $get"
  minor=$(cd "$setup_folder" && go env GOVERSION 2>/dev/null | sed -n 's/^go1\.\([0-9]*\).*/\1/p') || true
  [[ ${minor:-0} -ge 24 ]] || fail "Go 1.24 or newer is needed, and go version says: $(go version 2>&1)" "install it $get"
}

# compiler: cgo's C compiler and the C library's headers work.
compiler() {
  local cc
  cc=$(go env CC)
  # shellcheck disable=SC2086
  echo '#include <stdio.h>' | $cc -E - >/dev/null 2>&1
}

# glfw_headers: what GLFW includes and links is there.
glfw_headers() {
  local cc
  cc=$(go env CC)
  # shellcheck disable=SC2086
  { printf '#include <X11/%s>\n' Xlib.h XKBlib.h Xresource.h Xcursor/Xcursor.h extensions/{XInput2,Xinerama,Xrandr,shape,xf86vmode}.h
    echo 'int main(void) { return 0; }'; } | $cc -x c -o /dev/null - -lGL -lX11 -lXrandr -lXxf86vm -lXi -lXcursor -lXinerama >>"$setup_log" 2>&1
}

# build_probe: make "$probe", which tells what the Vulkan loader finds; probe.c says what it prints and returns.
build_probe() {
  local source=$setup_folder/probe.c libraries=-ldl
  [[ $(platform) != macos ]] || libraries=
  [[ $probe -nt $source ]] && return
  # shellcheck disable=SC2046,SC2086 # a compiler with its flags; perhaps no library
  logged $(go env CC) -std=gnu11 -O1 -o "$probe.$$" "$source" $libraries || fail "the C compiler could not build $source"
  mv "$probe.$$" "$probe"
}

# missing_needs: which of compiler, certificates, loader and driver this machine lacks; nothing where a device answers.
missing_needs() {
  local status=0 missing=""
  case $(platform) in # minimal Debian systems have none, and Go fetches modules over TLS
    debian | ubuntu) [[ -e /etc/ssl/certs/ca-certificates.crt ]] || missing="certificates " ;;
  esac
  if compiler; then
    build_probe
    "$probe" >/dev/null 2>>"$setup_log" || status=$?
  else
    missing+="compiler "
    status=2
  fi
  case $status in
    0) ;;
    1) missing+=driver ;;
    *) # Without a loader, or a compiler for the probe, nobody can be asked: a manifest counts as a driver.
      missing+=loader
      ls /usr/share/vulkan/icd.d/*.json /etc/vulkan/icd.d/*.json >/dev/null 2>&1 || missing+=" driver" ;;
  esac
  echo "$missing"
}
