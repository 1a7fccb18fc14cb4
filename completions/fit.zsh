#compdef fit
# zsh completion for fit: its commands, and behind one of them what that command completes
_fit() {
    local folder command
    folder=$(fit --exec-path 2>/dev/null) || return
    if ((CURRENT == 2)); then
        compadd -- help --exec-path --help --version ${folder}/*(N:t)
        return
    fi
    command=$words[2]
    if [[ $command == help ]]; then
        compadd -- fittings fit-function fit-state ${folder}/*(N:t)
    elif [[ $command != -* && $command != */* && -x $folder/$command ]]; then
        shift words
        ((CURRENT--))
        eval "$("$folder/$command" --dump-options=zsh)"
    fi
}
_fit "$@"
