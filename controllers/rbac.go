package controllers

// What the operator may do. Its own namespace is the one of config/default; the
// chart takes the same rules and puts its own in.
//
//go:generate go run sigs.k8s.io/controller-tools/cmd/controller-gen@v0.23.0 rbac:roleName=millrace-operator paths=. output:rbac:dir=../config/rbac

// StreamProcessors are users' own. The operator writes finalizers and the status,
// and the permission for finalizers/ lets it set owner references that block a
// deletion.
//
// +kubebuilder:rbac:groups=millrace.dev,resources=streamprocessors,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=millrace.dev,resources=streamprocessors/status,verbs=update
// +kubebuilder:rbac:groups=millrace.dev,resources=streamprocessors/finalizers,verbs=update

// What a StreamProcessor needs is applied, which takes create for what is new
// and patch for what is there; the garbage collector takes it away. The operator
// itself deletes what can be switched off, a Deployment whose pods have to go
// before a group does, and the ConfigMaps of earlier configurations once no
// ReplicaSet and no pod refers to them.
//
// +kubebuilder:rbac:groups="",resources=serviceaccounts;services,verbs=get;list;watch;create;patch
// +kubebuilder:rbac:groups="",resources=configmaps,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=policy,resources=poddisruptionbudgets,verbs=get;list;watch;create;patch
// +kubebuilder:rbac:groups=apps,resources=deployments,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=networking.k8s.io,resources=networkpolicies,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=monitoring.coreos.com,resources=podmonitors,verbs=get;list;watch;create;patch;delete

// The Deployments' ReplicaSets tell which pods are theirs, and of which configuration.
//
// +kubebuilder:rbac:groups=apps,resources=replicasets,verbs=get;list;watch

// Secrets hold what it takes to ask brokers for partitions and lag, and so may
// ConfigMaps, which are read by the rule above; pods are asked for their status
// and say why they fail, and autoscaling.vertical changes their CPU in place.
//
// +kubebuilder:rbac:groups="",resources=pods/resize,verbs=patch
// +kubebuilder:rbac:groups="",resources=secrets;pods,verbs=get;list;watch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Where brokers take tokens of service accounts, the operator asks them with a
// token of the pods' account. Whoever may create pods can have such a token too.
//
// +kubebuilder:rbac:groups="",resources=serviceaccounts/token,verbs=create

// The lease of an operator in another namespace tells that it is alive, so that two
// never take care of the same StreamProcessor.
//
// +kubebuilder:rbac:groups=coordination.k8s.io,resources=leases,resourceNames=millrace-operator.millrace.dev,verbs=get

// One of the replicas leads, which a lease in their namespace decides, with an
// event. A lease's name is not known to the API server when it authorises its
// creation.
//
// +kubebuilder:rbac:groups=coordination.k8s.io,resources=leases,verbs=create,namespace=millrace-system
// +kubebuilder:rbac:groups=coordination.k8s.io,resources=leases,resourceNames=millrace-operator.millrace.dev,verbs=get;update,namespace=millrace-system
// +kubebuilder:rbac:groups="",resources=events,verbs=create;patch,namespace=millrace-system
