package controllers

import (
	"testing"

	"github.com/millrace-dev/millrace/controllers/controllerstest"
)

func TestMain(m *testing.M) { controllerstest.Main(m) }
