package controllers

import (
	"context"
	"fmt"
	"net/http"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/cluster"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/resources"
)

// referenceIndex is the index of StreamProcessors by the Secrets and ConfigMaps that they
// refer to.
const referenceIndex = "reference"

// referenceKinds are the kinds of objects that the spec can refer to.
var referenceKinds = []string{resources.SecretKind, resources.ConfigMapKind}

// references reads the Secrets and ConfigMaps that StreamProcessors refer to.
type references struct {
	client   client.Client
	reader   client.Reader
	metadata cache.Cache // see NewReferences

	kept kept[contents]
}

func (r *references) forget(key types.NamespacedName) { r.kept.forget(key) }

// NewReferences returns a cache of the metadata of all Secrets and ConfigMaps in the
// namespaces, or in all namespaces if none is named. The manager fills it. The manager's
// own cache does not serve: it has one informer for each kind, and the one for ConfigMaps
// holds only those that the operator has made.
func NewReferences(mgr ctrl.Manager, namespaces []string) (cache.Cache, error) {
	references, err := cluster.New(mgr.GetConfig(), func(o *cluster.Options) {
		o.Scheme, o.HTTPClient = mgr.GetScheme(), mgr.GetHTTPClient()
		o.MapperProvider = func(*rest.Config, *http.Client) (meta.RESTMapper, error) { return mgr.GetRESTMapper(), nil }
		o.Cache.DefaultNamespaces = inNamespaces(namespaces)
		o.Cache.DefaultTransform = onlyIdentity
	})
	if err != nil {
		return nil, fmt.Errorf("cache the metadata of Secrets and ConfigMaps: %w", err)
	}
	if err := mgr.Add(references); err != nil {
		return nil, fmt.Errorf("cache the metadata of Secrets and ConfigMaps: %w", err)
	}
	return references.GetCache(), nil
}

// onlyIdentity keeps only the name and version of an object. Annotations are the largest
// part of the metadata, and kubectl's may hold the content.
func onlyIdentity(object any) (any, error) {
	full, ok := object.(*metav1.PartialObjectMetadata)
	if !ok {
		return object, nil
	}
	return &metav1.PartialObjectMetadata{TypeMeta: full.TypeMeta, ObjectMeta: metav1.ObjectMeta{
		Name: full.Name, Namespace: full.Namespace, UID: full.UID, ResourceVersion: full.ResourceVersion,
	}}, nil
}

func metadataOf(kind string) *metav1.PartialObjectMetadata {
	m := &metav1.PartialObjectMetadata{}
	m.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind(kind))
	return m
}

// source has StreamProcessors reconciled when an object of the kind changes that they
// refer to.
func (r *references) source(kind string) source.Source {
	users := func(ctx context.Context, object *metav1.PartialObjectMetadata) []reconcile.Request {
		var list v1alpha1.StreamProcessorList
		err := r.client.List(ctx, &list, client.InNamespace(object.GetNamespace()),
			client.MatchingFields{referenceIndex: referenceKey(kind, object.GetName())})
		if err != nil {
			return nil // see neighbours
		}
		return requestsFor(list.Items)
	}
	return source.Kind(r.metadata, metadataOf(kind), handler.TypedEnqueueRequestsFromMapFunc(users))
}

func referenceKeys(object client.Object) []string {
	sp, ok := object.(*v1alpha1.StreamProcessor)
	if !ok {
		return nil
	}
	var keys []string
	credentials, _ := resources.Credentials(sp)
	for _, c := range credentials {
		keys = append(keys, referenceKey(c.Kind, c.Name))
	}
	return keys
}

func referenceKey(kind, name string) string { return kind + "/" + name }
