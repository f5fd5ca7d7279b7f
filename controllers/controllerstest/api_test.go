package controllerstest

import (
	"context"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/millrace-dev/millrace/api/v1alpha1"
)

func TestMain(m *testing.M) { Main(m) }

func TestUsersMayDoWhatTheirRolesAllowAndTheirWritesAreRecorded(t *testing.T) {
	api := Start(t)
	ctx, namespace := t.Context(), api.Namespace(t)
	c, err := client.New(api.User(t, "writer"), client.Options{Scheme: api.Scheme})
	if err != nil {
		t.Fatal(err)
	}
	secret := func() *corev1.Secret {
		return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "s"}}
	}
	if err := c.Create(ctx, secret()); !apierrors.IsForbidden(err) {
		t.Fatalf("error %v, want that it is forbidden", err)
	}
	allow(t, api, namespace, "writer", rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"secrets"}, Verbs: []string{"create", "get"}})
	for err := c.Create(ctx, secret()); err != nil; err = c.Create(ctx, secret()) {
		if !apierrors.IsForbidden(err) || ctx.Err() != nil { // until the server knows the role
			t.Fatal(err)
		}
	}
	if err := c.Get(ctx, client.ObjectKeyFromObject(secret()), secret()); err != nil {
		t.Fatal(err)
	}
	writes := api.Writes(t, "writer")
	first, last := writes[0], writes[len(writes)-1]
	if first.Code != 403 || last.Code != 201 {
		t.Errorf("writes %+v, want one refused and one done", writes)
	}
	last.At = first.At
	if want := (Write{User: "writer", Verb: "create", Resource: "secrets", Namespace: namespace, Name: "s", Code: 201, At: first.At}); last != want {
		t.Errorf("recorded %+v, want %+v", last, want)
	}
	if all := len(api.Writes(t)); all <= len(writes) {
		t.Errorf("%d writes of all users, %d of one", all, len(writes))
	}
}

func allow(t *testing.T, api *API, namespace, user string, rules ...rbacv1.PolicyRule) {
	t.Helper()
	at := metav1.ObjectMeta{Namespace: namespace, Name: user}
	binding := &rbacv1.RoleBinding{
		ObjectMeta: at,
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: user},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}},
	}
	for _, object := range []client.Object{&rbacv1.Role{ObjectMeta: at, Rules: rules}, binding} {
		if err := api.Client.Create(context.Background(), object); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTheCRDIsThere(t *testing.T) {
	api := Start(t)
	if err := api.Client.List(context.Background(), &v1alpha1.StreamProcessorList{}); err != nil {
		t.Error(err)
	}
	out, err := api.Kubectl(t, "", "get", "crds", "-o", "name")
	if err != nil || !strings.Contains(out, "streamprocessors.millrace.dev") {
		t.Errorf("kubectl shows %q, error %v", out, err)
	}
	if _, err := api.Kubectl(t, "", "get", "nothing"); err == nil || !strings.Contains(err.Error(), "nothing") {
		t.Errorf("error %v does not have what kubectl said", err)
	}
}

func TestAnEmptyServerHasNoCRD(t *testing.T) {
	api := StartEmpty(t)
	if err := api.Client.List(context.Background(), &v1alpha1.StreamProcessorList{}); err == nil {
		t.Error("there are StreamProcessors")
	}
}
