package sam

// This file reads DynamoDB tables: those of a kind that the stand-in has, with two keys that are strings. Others are set aside.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html

import "errors"

const tableType = "AWS::DynamoDB::Table"

// Table is a DynamoDB table.
type Table struct {
	Name, Partition, Sort string // of its keys the attributes, both strings
	TimeToLive            string // the attribute that says when an item ends; empty: none
}

// readTable adds a table to the model, and reports whether it is of a kind that is modelled.
func (t *template) readTable(m *Model, id string) (bool, error) {
	p := t.properties(id)
	table := Table{}
	keys, _ := p.get("KeySchema").([]any)
	types, _ := p.get("AttributeDefinitions").([]any)
	for _, key := range keys {
		k := t.reader(p.place+": KeySchema", key)
		switch name := k.need("AttributeName"); k.need("KeyType") {
		case "HASH":
			table.Partition = name
		case "RANGE":
			table.Sort = name
		}
	}
	strings := 0
	for _, one := range types {
		d := t.reader(p.place+": AttributeDefinitions", one)
		if name := d.need("AttributeName"); (name == table.Partition || name == table.Sort) && d.need("AttributeType") == "S" {
			strings++
		}
	}
	if len(keys) != 2 || strings != 2 || *p.err != nil {
		return false, nil
	}
	name, err := t.ref(id)
	if err != nil {
		return false, err
	}
	table.Name, _ = name.(string)
	ttl := p.sub("TimeToLiveSpecification")
	if ttl.boolean("Enabled", false) {
		if table.TimeToLive = ttl.text("AttributeName"); table.TimeToLive == "" {
			ttl.fail("AttributeName", errors.New("missing"))
		}
	}
	p.aside("BillingMode", "TableName")
	p.leave()
	m.Tables = append(m.Tables, table)
	return true, p.done()
}
