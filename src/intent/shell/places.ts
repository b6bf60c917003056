/** Which paths mean something: data, one row for each kind. */

/** Directories that a build makes again. */
export const rebuildable: ReadonlySet<string> = new Set([
  'node_modules',
  'dist',
  'build',
  'target',
  '.cache',
  'coverage',
  '__pycache__',
  '.pytest_cache',
  '.next',
  'out',
  '.turbo',
  '.gradle',
  'tmp',
])

/** Reads of these reveal secrets. */
export const secretPath =
  /(?:^|\/)(?:\.env(?:\.[^/]+)?|id_(?:rsa|dsa|ecdsa|ed25519)(?:_[^/.]*)?|[^/]*\.(?:pem|key|p12|pfx|jks|keystore|kdbx|ppk|ovpn|age)|(?:[^/]*_)?credentials?(?:\.[^/]+)?|\.netrc|\.pgpass|\.my\.cnf|\.npmrc|\.pypirc|\.git-credentials|\.htpasswd|g?shadow-?|master\.passwd|opasswd|secrets?(?:\.[^/]+)?|kubeconfig|\.vault-token|terraform\.tfstate(?:\.[^/]+)?|[^/]*_history|\.kube\/config|\.docker\/config\.json|sudoers)$|(?:^|\/)(?:\.ssh|\.aws|\.gnupg|\.azure|\.config\/gcloud|sudoers\.d|run\/secrets|secrets)\/|^\/proc\/[^/]+\/(?:environ|mem)$|^\/(?:proc\/kcore|dev\/k?mem)$|^\/etc\/(?:kubernetes|ssl\/private|ssh\/ssh_host_[^/]*)/

/** Look like the above and reveal nothing. */
export const publicPath =
  /(?:\.pub|\.(?:example|sample|template|dist)|\/known_hosts|\/authorized_keys|ca-certificates[^/]*|\/certs\/[^/]*\.pem)$/

/** Reading everything below one of these reveals secrets too. */
export const secretTree =
  /^(?:\/|~|\/etc|\/root|\/home(?:\/[^/]+)?|\/proc(?:\/.*)?|\/run|\/var\/run|\/var|\/dev|\/Users(?:\/[^/]+)?|.*\/\.(?:ssh|aws|gnupg|kube|docker|azure)|~\/\.(?:ssh|aws|gnupg|kube|docker|azure|config)|.*\/secrets)$/

/** Names that a glob in a last component is tried against. */
export const secretSamples: readonly string[] = [
  '.env',
  '.netrc',
  '.pgpass',
  'id_rsa',
  'id_ed25519',
  'credentials',
  'shadow',
]

/** What a write to a place means beyond the file itself: the effect's `why`, first match. */
export const meanings: readonly (readonly [RegExp, string])[] = [
  [
    /^\/etc\/(?:passwd|shadow|gshadow|group|sudoers)(?:$|[-/.])|^\/etc\/(?:sudoers\.d|pam\.d|ssh|security|polkit-1)(?:\/|$)/,
    'authentication_path',
  ],
  [/\/\.ssh\/(?:authorized_keys2?|rc|environment|config)$|\/\.ssh$/, 'authentication_path'],
  [
    /^\/etc\/(?:cron[^/]*|init\.d|rc[^/]*|systemd|profile|profile\.d|bash[^/]*|zsh[^/]*|environment|ld\.so\.[^/]*|udev|xdg|modules-load\.d|apt\/apt\.conf\.d|anacrontab|at\.[^/]*|update-motd\.d|logrotate\.d)(?:\/|$)/,
    'persistence_path',
  ],
  [
    /^\/(?:var\/spool\/(?:cron|at|anacron)|usr\/lib\/systemd|lib\/systemd|usr\/local\/lib\/systemd|run\/systemd)(?:\/|$)/,
    'persistence_path',
  ],
  [
    /(?:^|\/)\.(?:bashrc|bash_profile|bash_login|bash_logout|bash_aliases|profile|zshrc|zshenv|zprofile|zlogin|kshrc|cshrc|tcshrc|login|xinitrc|xprofile|inputrc|vimrc|gitconfig|psqlrc|envrc|npmrc|pam_environment|hushlogin|forward|xsession|tmux\.conf|curlrc|wgetrc)$|(?:^|\/)\.config\/(?:systemd|autostart|fish|environment\.d)(?:\/|$)|(?:^|\/)\.git\/(?:hooks\/|config$)/,
    'persistence_path',
  ],
  [
    /^\/var\/log(?:\/|$)|^\/run\/log(?:\/|$)|^\/etc\/(?:audit|rsyslog|syslog)[^/]*(?:\/|$)|(?:^|\/)\.[a-z]*_history$/,
    'audit_log_path',
  ],
  [/^\/(?:proc|sys)(?:\/|$)/, 'kernel_setting_path'],
  [/^\/(?:etc|boot|usr|bin|sbin|lib|lib64|opt|root)(?:\/|$)/, 'system_path'],
]

/** Devices that hold or lose nothing. */
export const harmlessDevice =
  /^\/dev\/(?:null|zero|full|random|urandom|stdin|stdout|stderr|tty|fd\/\d+)$|^\/proc\/self\/fd\/[0-2]$/
