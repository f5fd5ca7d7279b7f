package controllers

// The operator's permissions. Its namespace here is the one of config/default; the chart
// has the same rules with the release's namespace.
//
//go:generate go run sigs.k8s.io/controller-tools/cmd/controller-gen@v0.23.0 rbac:roleName=millrace-operator paths=. output:rbac:dir=../config/rbac

// Users write StreamProcessors. The operator writes their finalizers and status. The
// permission for finalizers/ lets it set owner references that block a deletion.
//
// +kubebuilder:rbac:groups=millrace.dev,resources=streamprocessors,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=millrace.dev,resources=streamprocessors/status,verbs=update
// +kubebuilder:rbac:groups=millrace.dev,resources=streamprocessors/finalizers,verbs=update

// The operator applies the objects of a StreamProcessor, which needs create for new
// objects and patch for existing ones. The garbage collector deletes them. The operator
// itself deletes objects that its flags switch off, a Deployment whose pods have to go
// before the group does, and the ConfigMaps of earlier configurations when no ReplicaSet
// and no pod refers to them.
//
// +kubebuilder:rbac:groups="",resources=serviceaccounts;services,verbs=get;list;watch;create;patch
// +kubebuilder:rbac:groups="",resources=configmaps,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=policy,resources=poddisruptionbudgets,verbs=get;list;watch;create;patch
// +kubebuilder:rbac:groups=apps,resources=deployments,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=networking.k8s.io,resources=networkpolicies,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=monitoring.coreos.com,resources=podmonitors,verbs=get;list;watch;create;patch;delete

// ReplicaSets show which pods belong to a Deployment, and which configuration they have.
//
// +kubebuilder:rbac:groups=apps,resources=replicasets,verbs=get;list;watch

// Secrets hold the credentials for asking brokers about partitions and lag. ConfigMaps
// may hold some too; the rule above covers them. The operator asks pods for their
// status, reads why they fail, annotates them so that their kubelets bring them changed
// expressions at once, and changes their CPU in place for autoscaling.vertical.
//
// +kubebuilder:rbac:groups="",resources=pods/resize,verbs=patch
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=pods,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Where brokers accept tokens of service accounts, the operator presents a token of the
// pods' account. A user with the permission to create pods can get such a token too.
//
// +kubebuilder:rbac:groups="",resources=serviceaccounts/token,verbs=create

// The lease of an operator in another namespace shows that it is alive, so that two
// operators never take care of the same StreamProcessor.
//
// +kubebuilder:rbac:groups=coordination.k8s.io,resources=leases,resourceNames=millrace-operator.millrace.dev,verbs=get

// A lease in the operator's namespace decides which replica leads, and an event says so.
// When the API server authorises the creation of a lease, it does not know the name.
//
// +kubebuilder:rbac:groups=coordination.k8s.io,resources=leases,verbs=create,namespace=millrace-system
// +kubebuilder:rbac:groups=coordination.k8s.io,resources=leases,resourceNames=millrace-operator.millrace.dev,verbs=get;update,namespace=millrace-system
// +kubebuilder:rbac:groups="",resources=events,verbs=create;patch,namespace=millrace-system
