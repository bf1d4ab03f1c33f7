// Package stack finds what a deployed stack holds, by the stack's name, with the caller's own AWS credentials. It only reads. The tool alone links it.
package stack

// This file decides what belongs to a stack: its own resources, and those of the stacks that it takes in.

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// Stack is one deployed stack.
type Stack struct {
	Name       string
	Region     string
	Status     string            // CREATE_COMPLETE and the like
	Parameters map[string]string // as they were resolved
	Outputs    map[string]string
	Resources  map[string]Resource // by logical id, without those of nested stacks
	Nested     map[string]*Stack   // by logical id
}

// Resource is what CloudFormation made for a logical id.
type Resource struct{ Type, ID string }

// Config returns how AWS is asked: by the credentials that AWS's own tools would take, in region or, when it is "", where they would ask.
func Config(ctx context.Context, region string) (aws.Config, error) {
	c, err := config.LoadDefaultConfig(ctx, func(o *config.LoadOptions) error { o.Region = region; return nil })
	if err != nil {
		return c, err
	}
	if c.Region == "" {
		return c, errors.New("no region: say -region, or set AWS_REGION")
	}
	return c, nil
}

// Find returns a stack and all that it takes in.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStackResources.html
func Find(ctx context.Context, c aws.Config, name string) (*Stack, error) {
	return find(ctx, cloudformation.NewFromConfig(c), c.Region, name)
}

func find(ctx context.Context, cf *cloudformation.Client, region, name string) (*Stack, error) {
	described, err := cf.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &name})
	if err != nil || len(described.Stacks) == 0 {
		return nil, failure("cloudformation:DescribeStacks", region, name, err)
	}
	d := described.Stacks[0]
	s := &Stack{
		Name: aws.ToString(d.StackName), Region: region, Status: string(d.StackStatus),
		Parameters: map[string]string{}, Outputs: map[string]string{}, Resources: map[string]Resource{}, Nested: map[string]*Stack{},
	}
	for _, p := range d.Parameters {
		s.Parameters[aws.ToString(p.ParameterKey)] = aws.ToString(p.ParameterValue)
		if p.ResolvedValue != nil {
			s.Parameters[aws.ToString(p.ParameterKey)] = *p.ResolvedValue
		}
	}
	for _, o := range d.Outputs {
		s.Outputs[aws.ToString(o.OutputKey)] = aws.ToString(o.OutputValue)
	}
	for pages := cloudformation.NewListStackResourcesPaginator(cf, &cloudformation.ListStackResourcesInput{StackName: &name}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, failure("cloudformation:ListStackResources", region, name, err)
		}
		for _, r := range page.StackResourceSummaries {
			if r.ResourceStatus == types.ResourceStatusDeleteComplete || r.PhysicalResourceId == nil {
				continue
			}
			logical := aws.ToString(r.LogicalResourceId)
			s.Resources[logical] = Resource{Type: aws.ToString(r.ResourceType), ID: *r.PhysicalResourceId}
			if s.Resources[logical].Type == "AWS::CloudFormation::Stack" {
				if s.Nested[logical], err = find(ctx, cf, region, *r.PhysicalResourceId); err != nil {
					return nil, err
				}
			}
		}
	}
	return s, nil
}

// failure says what AWS refused, or that there is no such stack.
func failure(call, region, name string, err error) error {
	var coded interface{ ErrorCode() string }
	switch {
	case err == nil, errors.As(err, &coded) && coded.ErrorCode() == "ValidationError":
		return fmt.Errorf("there is no stack %s in %s", name, region)
	}
	return failed(call, err)
}

// Part returns the stack of edgeauth.yaml: this one, or the one that it takes in.
func (s *Stack) Part() (*Stack, error) {
	var found []*Stack
	s.walk(func(one *Stack) {
		if one.Resources["AuthorizerFunction"].ID != "" && one.Resources["AuthParameter"].ID != "" && one.Resources["UserPoolClient"].ID != "" {
			found = append(found, one)
		}
	})
	if len(found) != 1 {
		return nil, fmt.Errorf("stack %s takes in edgeauth.yaml %d times, and not once", s.Name, len(found))
	}
	return found[0], nil
}

// Each calls f for every resource of the stack and of those that it takes in. path names it, such as EdgeAuth/UserPool.
func (s *Stack) Each(f func(path string, r Resource)) { s.each("", f) }

func (s *Stack) each(prefix string, f func(string, Resource)) {
	for logical, r := range s.Resources {
		f(prefix+logical, r)
	}
	for logical, one := range s.Nested {
		one.each(prefix+logical+"/", f)
	}
}

func (s *Stack) walk(f func(*Stack)) {
	f(s)
	for _, one := range s.Nested {
		one.walk(f)
	}
}

// Pool is the id of the user pool that signs people in, whether the stack made it or not.
func (s *Stack) Pool() string {
	if made := s.Resources["UserPool"].ID; made != "" {
		return made
	}
	return s.Parameters["ExistingUserPoolId"]
}

// FunctionName is the name in a function's physical id, which may be a name or an ARN.
func FunctionName(id string) string {
	if _, rest, ok := strings.Cut(id, ":function:"); ok {
		id, _, _ = strings.Cut(rest, ":")
	}
	return id
}
