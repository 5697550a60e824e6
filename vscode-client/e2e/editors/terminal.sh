# A program in a terminal of its own, for the scripts beside this one: what is typed, and what stands on the screen.

terminal="codet5p-$$"

open_terminal() {  # COMMAND...
  tmux -L "$terminal" -f /dev/null new-session -d -x 120 -y 40 "$@"
  trap close_terminal EXIT
}

close_terminal() { tmux -L "$terminal" kill-server 2>/dev/null || true; }

press() { tmux -L "$terminal" send-keys "$@"; }

screen() { tmux -L "$terminal" capture-pane -p; }

wait_for_screen() {  # REGULAR_EXPRESSION
  for _ in $(seq 300); do screen 2>/dev/null | grep -E -e "$1" >/dev/null && return; sleep 0.2; done
  echo "waited in vain for $1 on the screen:"; screen; exit 1
}

wait_for_end() {
  for _ in $(seq 300); do tmux -L "$terminal" has-session 2>/dev/null || return 0; sleep 0.2; done
  echo "the program does not end:"; screen; exit 1
}

wait_for_file() {  # FILE REGULAR_EXPRESSION
  for _ in $(seq 300); do grep -sqE -e "$2" "$1" && return; sleep 0.2; done
  echo "waited in vain for $2 in $1:"; tail -n 20 "$1" | cut -c -300; exit 1
}
