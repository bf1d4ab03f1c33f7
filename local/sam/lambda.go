package sam

// This file reads functions as CloudFormation has them, their aliases and versions, and knows what SAM makes beside a function of its own.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_Lambda.html
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-generated-resources-function.html

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const (
	lambdaType  = "AWS::Lambda::Function"
	aliasType   = "AWS::Lambda::Alias"
	versionType = "AWS::Lambda::Version"

	firstVersion = "1" // of every function: nothing was published before
)

// readLambda reads AWS::Lambda::Function.
func (t *template) readLambda(m *Model, id string, p *properties) {
	p.aside("Architectures", "Description", "EphemeralStorage", "LoggingConfig", "Role", "Tags", "TracingConfig", "FunctionName")
	f := t.readCommon(id, p)
	switch p.get("Code").(type) {
	case string:
		f.Code = t.local(p.text("Code"))
	case nil:
		p.fail("Code", errors.New("missing"))
	default:
		code := p.sub("Code")
		code.aside("S3Bucket", "S3ObjectVersion", "SourceKMSKeyArn")
		f.Code, f.Inline = t.asset(code.text("S3Key")), code.text("ZipFile")
		_ = code.done()
	}
	m.Functions = append(m.Functions, f)
}

// asset is the file or folder that the CDK keeps beside a template for an object in a bucket, under the object's last name; empty if there is none, and a
// build on this machine stands for it.
// https://docs.aws.amazon.com/cdk/v2/guide/assets.html
func (t *template) asset(object string) string {
	name := object[strings.LastIndex(object, "/")+1:]
	for _, file := range []string{name, strings.TrimSuffix(name, ".zip")} { // a folder is packed on its way to the bucket
		path := filepath.Join(t.folder, "asset."+file)
		if _, err := os.Stat(path); err == nil && file != "" {
			return path
		}
	}
	return ""
}

// local is where a location that a template names is on this machine.
func (t *template) local(location string) string {
	if location == "" || strings.Contains(location, "://") {
		return ""
	}
	if filepath.IsAbs(location) {
		return location
	}
	return filepath.Join(t.folder, filepath.FromSlash(location))
}

func (t *template) readAlias(_ *Model, id string, p *properties) {
	p.aside("Description", "FunctionVersion", "ProvisionedConcurrencyConfig", "RoutingConfig", "Name", "FunctionName")
	arn, err := t.aliasARN(id)
	p.fail("FunctionName", err)
	t.addAlias(arn)
}

func (t *template) readVersion(_ *Model, id string, p *properties) {
	p.aside("CodeSha256", "Description", "ProvisionedConcurrencyConfig", "RuntimePolicy", "FunctionName")
	arn, err := t.qualified(id, firstVersion)
	p.fail("FunctionName", err)
	t.addAlias(arn)
}

// addAlias makes an ARN with an alias or a version stand for the function.
func (t *template) addAlias(qualified any) {
	if arn, ok := qualified.(string); ok {
		t.aliases[arn] = arn[:strings.LastIndex(arn, ":")]
	}
}

// aliasARN is what a reference to an AWS::Lambda::Alias is.
func (t *template) aliasARN(id string) (any, error) {
	name, err := t.own(id, "Name", "")
	if err != nil {
		return nil, err
	}
	return t.qualified(id, name.(string))
}

// qualified is the ARN of the function that a resource names, with a qualifier.
func (t *template) qualified(id, qualifier string) (any, error) {
	function, err := t.own(id, "FunctionName", "")
	if err != nil {
		return nil, err
	}
	return functionARN(function.(string)) + ":" + qualifier, nil
}

// functionARN makes the ARN of a function named by its name or by its ARN already.
func functionARN(name string) string {
	if strings.HasPrefix(name, "arn:") {
		return name
	}
	return fmt.Sprintf("arn:%s:lambda:%s:%s:function:%s", Partition, Region, Account, name)
}

// published is the ARN with the alias that AutoPublishAlias keeps, or false when the function has none.
func (t *template) published(id string) (any, error) {
	alias, err := t.own(id, "AutoPublishAlias", noAlias)
	if err != nil || alias == noAlias {
		return nil, fmt.Errorf("function %s has no AutoPublishAlias", id)
	}
	arn, err := t.getAtt(id, "Arn")
	return fmt.Sprint(arn, ":", alias), err
}

const noAlias = "\x00"

// generated is a reference to what SAM makes beside the resources of the template.
func (t *template) generated(id string) (any, error) {
	if stage, ok := t.generatedStage(id); ok {
		return stage, nil
	}
	if function, ok := strings.CutSuffix(id, ".Alias"); ok && t.resources[function].kind == functionType {
		return t.published(function)
	}
	if function, ok := strings.CutSuffix(id, ".Version"); ok && t.resources[function].kind == functionType {
		arn, err := t.getAtt(function, "Arn")
		return fmt.Sprint(arn, ":", firstVersion), err
	}
	if t.hasGeneratedRole(id) {
		return t.stack + "-" + id, nil
	}
	return nil, fmt.Errorf("there is no parameter or resource %s", id)
}

func (t *template) generatedAttribute(id, attribute string) (any, error) {
	if attribute == "Arn" && t.hasGeneratedRole(id) {
		return fmt.Sprintf("arn:%s:iam::%s:role/%s-%s", Partition, Account, t.stack, id), nil
	}
	return nil, fmt.Errorf("there is no resource %s", id)
}

// hasGeneratedRole reports whether an id is that of the role which SAM makes for a function without one.
func (t *template) hasGeneratedRole(id string) bool {
	function, ok := strings.CutSuffix(id, "Role")
	r := t.resources[function]
	return ok && r.kind == functionType && r.properties["Role"] == nil
}
